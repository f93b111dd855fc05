-- Whoever may act on a request may ask for the end of its run; the worker alone brings it about.
GRANT UPDATE (cancel_requested_at, cancel_requested_by) ON provisioning_runs TO berth_staff, berth_api;
--> statement-breakpoint

-- They ask once, now, in their own name, and while the run is open; nobody takes it back.
CREATE FUNCTION berth_check_cancel() RETURNS trigger
LANGUAGE plpgsql SET search_path = ''
AS $$
BEGIN
  IF OLD.status NOT IN ('queued', 'running')
    OR OLD.cancel_requested_at IS NOT NULL OR OLD.cancel_requested_by IS NOT NULL
    OR NEW.cancel_requested_at IS DISTINCT FROM public.berth_now()::timestamptz(3)
    OR NEW.cancel_requested_by IS DISTINCT FROM public.berth_actor_id()
  THEN
    RAISE EXCEPTION 'the end of an open run is asked for once, now, and in one''s own name'
      USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN NEW;
END
$$;
--> statement-breakpoint
CREATE TRIGGER provisioning_runs_check_cancel
  BEFORE UPDATE OF cancel_requested_at, cancel_requested_by ON provisioning_runs
  FOR EACH ROW WHEN (current_user IN ('berth_staff', 'berth_api')) EXECUTE FUNCTION berth_check_cancel();
--> statement-breakpoint

-- Difference accepted: by a supervisor, in the supervisor's own name, once and for ever.
GRANT SELECT, INSERT ON drift_acceptances TO berth_staff;
--> statement-breakpoint
GRANT SELECT ON drift_acceptances TO berth_worker;
--> statement-breakpoint
ALTER TABLE drift_acceptances ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY house ON drift_acceptances FOR SELECT TO berth_staff, berth_worker USING (true);
--> statement-breakpoint
CREATE POLICY accept ON drift_acceptances FOR INSERT TO berth_staff
  WITH CHECK (accepted_by = (SELECT berth_actor_id()) AND EXISTS (
    SELECT FROM admin_users a
    WHERE a.user_id = accepted_by AND a.role = 'supervisor' AND a.deactivated_at IS NULL));
--> statement-breakpoint

-- A page that shows a run hears that its end was asked for.
CREATE FUNCTION berth_announce_cancel() RETURNS trigger
LANGUAGE plpgsql SET search_path = ''
AS $$
BEGIN
  PERFORM pg_notify('berth_progress', NEW.request_id::text);
  RETURN NULL;
END
$$;
--> statement-breakpoint
CREATE TRIGGER provisioning_runs_announce_cancel AFTER UPDATE OF cancel_requested_at ON provisioning_runs
  FOR EACH ROW EXECUTE FUNCTION berth_announce_cancel();
