-- What people may do by hand: a customer's own sign-up, and the desk's care for mails.

GRANT SELECT, INSERT, UPDATE, DELETE ON onboarding_drafts TO berth_customer;
--> statement-breakpoint
GRANT SELECT, DELETE ON onboarding_drafts TO berth_worker;
--> statement-breakpoint
ALTER TABLE onboarding_drafts ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
-- A draft names no backend but the one that it will become, or became: what it names, it may unseal.
CREATE FUNCTION berth_draft_is_honest(backend uuid, request uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ''
AS $$
  SELECT (request IS NULL OR public.berth_owns_request(request))
    AND NOT EXISTS (
      SELECT FROM public.customer_backends b
      WHERE b.id = backend AND (request IS NULL OR b.request_id <> request))
    AND NOT EXISTS (
      SELECT FROM public.onboarding_drafts d
      WHERE d.backend_id = backend AND d.user_id <> public.berth_actor_id())
$$;
--> statement-breakpoint
REVOKE EXECUTE ON FUNCTION berth_draft_is_honest(uuid, uuid) FROM PUBLIC;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION berth_draft_is_honest(uuid, uuid) TO berth_customer;
--> statement-breakpoint
CREATE POLICY own ON onboarding_drafts TO berth_customer
  USING (user_id = (SELECT berth_actor_id()))
  WITH CHECK (user_id = (SELECT berth_actor_id()) AND berth_draft_is_honest(backend_id, request_id));
--> statement-breakpoint
CREATE POLICY house ON onboarding_drafts TO berth_worker USING (true) WITH CHECK (true);
--> statement-breakpoint

-- Credentials in a draft are sealed under the id that the backend will have. They are the draft's
-- until it is submitted; from then on they belong to the house.
CREATE FUNCTION berth_owns_draft_secret(sealed_for uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ''
AS $$
  SELECT EXISTS (
    SELECT FROM public.onboarding_drafts d
    WHERE d.backend_id = sealed_for AND d.request_id IS NULL AND d.user_id = public.berth_actor_id())
    AND NOT EXISTS (SELECT FROM public.customer_backends b WHERE b.id = sealed_for)
$$;
--> statement-breakpoint
REVOKE EXECUTE ON FUNCTION berth_owns_draft_secret(uuid) FROM PUBLIC;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION berth_owns_draft_secret(uuid) TO berth_customer;
--> statement-breakpoint
GRANT INSERT, DELETE ON data_keys, sealed_secrets TO berth_customer;
--> statement-breakpoint
GRANT SELECT (backend_id, generation) ON data_keys TO berth_customer;
--> statement-breakpoint
GRANT SELECT (backend_id, generation, field, last_four, fingerprint) ON sealed_secrets TO berth_customer;
--> statement-breakpoint
CREATE POLICY own_draft ON data_keys TO berth_customer
  USING (berth_owns_draft_secret(backend_id)) WITH CHECK (berth_owns_draft_secret(backend_id));
--> statement-breakpoint
CREATE POLICY own_draft ON sealed_secrets TO berth_customer
  USING (berth_owns_draft_secret(backend_id)) WITH CHECK (berth_owns_draft_secret(backend_id));
--> statement-breakpoint

-- Whether a live backend has a project: a customer learns yes or no, and nothing about whose it is.
CREATE FUNCTION berth_project_in_use(ref text, except_request uuid DEFAULT NULL) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ''
AS $$
  SELECT EXISTS (
    SELECT FROM public.customer_backends b
    WHERE b.project_ref = ref AND b.status <> 'retired' AND b.request_id IS DISTINCT FROM except_request)
$$;
--> statement-breakpoint
REVOKE EXECUTE ON FUNCTION berth_project_in_use(text, uuid) FROM PUBLIC;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION berth_project_in_use(text, uuid) TO berth_customer, berth_staff, berth_worker, berth_api;
--> statement-breakpoint

-- A customer submits for itself: no priority but the ordinary one, no state but the first, nobody's
-- rows but its own.
GRANT INSERT ON customers, provisioning_queue, request_events, request_clock_segments, customer_backends, outbox
  TO berth_customer;
--> statement-breakpoint
GRANT UPDATE (contact_name, phone, country, timezone, industry, updated_at) ON customers TO berth_customer;
--> statement-breakpoint
-- The address of the account that acts.
CREATE FUNCTION berth_actor_email() RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ''
AS $$ SELECT u.email FROM auth."user" u WHERE u.id = public.berth_actor_id() $$;
--> statement-breakpoint
-- A time that is now, give or take the rounding to milliseconds.
CREATE FUNCTION berth_is_now(at timestamptz) RETURNS boolean
LANGUAGE sql STABLE SET search_path = ''
AS $$ SELECT at BETWEEN public.berth_now() - interval '1 second' AND public.berth_now() + interval '1 second' $$;
--> statement-breakpoint
REVOKE EXECUTE ON FUNCTION berth_actor_email(), berth_is_now(timestamptz) FROM PUBLIC;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION berth_actor_email(), berth_is_now(timestamptz) TO berth_customer;
--> statement-breakpoint
CREATE POLICY submit ON customers FOR INSERT TO berth_customer
  WITH CHECK (user_id = (SELECT berth_actor_id()) AND email = (SELECT berth_actor_email()));
--> statement-breakpoint
CREATE POLICY correct ON customers FOR UPDATE TO berth_customer
  USING (user_id = (SELECT berth_actor_id())) WITH CHECK (user_id = (SELECT berth_actor_id()));
--> statement-breakpoint
CREATE POLICY submit ON provisioning_queue FOR INSERT TO berth_customer
  WITH CHECK (berth_owns_customer(customer_id) AND priority = 'normal' AND status = 'pending'
    AND assignee_id IS NULL AND lease_token = 0 AND lease_expires_at IS NULL AND failure IS NULL
    AND ended_at IS NULL AND version = 1 AND berth_is_now(created_at)
    AND due_at = created_at + (
      SELECT t.hours * interval '1 hour' FROM plan_targets t
      WHERE t.plan_id = provisioning_queue.plan_id AND t.priority = 'normal'));
--> statement-breakpoint
CREATE POLICY submit ON request_events FOR INSERT TO berth_customer
  WITH CHECK (berth_owns_request(request_id) AND kind IN ('received', 'cancelled') AND berth_is_now(at)
    AND actor_kind = 'customer' AND actor_id = (SELECT berth_actor_id()));
--> statement-breakpoint
-- What staff note down for each other is not the customer's to read.
DROP POLICY own ON request_events;
--> statement-breakpoint
CREATE POLICY own ON request_events FOR SELECT TO berth_customer
  USING (kind <> 'note' AND berth_owns_request(request_id));
--> statement-breakpoint
CREATE POLICY submit ON request_clock_segments FOR INSERT TO berth_customer
  WITH CHECK (berth_owns_request(request_id) AND berth_is_now(started_at) AND ended_at IS NULL);
--> statement-breakpoint
-- Its own letters, to its own address, and none that opens anything.
CREATE POLICY submit ON outbox FOR INSERT TO berth_customer
  WITH CHECK (berth_owns_request(request_id) AND status = 'waiting' AND kind IN ('received', 'cancelled')
    AND recipient = (SELECT berth_actor_email()) AND NOT data ?| ARRAY['linkId', 'linkPurpose']);
--> statement-breakpoint
CREATE POLICY submit ON customer_backends FOR INSERT TO berth_customer
  WITH CHECK (berth_owns_request(request_id) AND berth_owns_customer(customer_id) AND status = 'offered');
--> statement-breakpoint

-- And it may take back what nobody has begun.
GRANT UPDATE (status, version, updated_at, ended_at, lease_expires_at) ON provisioning_queue TO berth_customer;
--> statement-breakpoint
CREATE POLICY take_back ON provisioning_queue FOR UPDATE TO berth_customer
  USING (berth_owns_customer(customer_id))
  WITH CHECK (berth_owns_customer(customer_id) AND status = 'cancelled' AND assignee_id IS NULL);
--> statement-breakpoint
GRANT UPDATE (ended_at) ON request_clock_segments TO berth_customer;
--> statement-breakpoint
CREATE POLICY take_back ON request_clock_segments FOR UPDATE TO berth_customer
  USING (berth_owns_request(request_id) AND ended_at IS NULL)
  WITH CHECK (berth_owns_request(request_id) AND berth_is_now(ended_at));
--> statement-breakpoint
GRANT SELECT (generation, owner_user_id, retired_at), UPDATE (status, retired_at) ON customer_backends TO berth_customer;
--> statement-breakpoint
CREATE POLICY take_back ON customer_backends FOR UPDATE TO berth_customer
  USING (berth_owns_customer(customer_id) AND status = 'offered')
  WITH CHECK (berth_owns_customer(customer_id) AND status = 'retired');
--> statement-breakpoint

-- What a customer sees of the work: how far it is, and whether its mails and its link are used.
GRANT SELECT (id, request_id, status, created_at, started_at, ended_at) ON provisioning_runs TO berth_customer;
--> statement-breakpoint
GRANT SELECT (id, run_id, position, kind, template, status, started_at, ended_at) ON provisioning_steps TO berth_customer;
--> statement-breakpoint
GRANT SELECT (id, request_id, kind, status, created_at, sent_at) ON outbox TO berth_customer;
--> statement-breakpoint
GRANT SELECT (id, request_id, purpose, subject_id, created_at, expires_at, used_at) ON one_time_links TO berth_customer;
--> statement-breakpoint
CREATE POLICY own ON provisioning_runs FOR SELECT TO berth_customer USING (berth_owns_request(request_id));
--> statement-breakpoint
CREATE POLICY own ON provisioning_steps FOR SELECT TO berth_customer
  USING (EXISTS (SELECT FROM provisioning_runs r WHERE r.id = run_id));
--> statement-breakpoint
CREATE POLICY own ON outbox FOR SELECT TO berth_customer USING (berth_owns_request(request_id));
--> statement-breakpoint
CREATE POLICY own ON one_time_links FOR SELECT TO berth_customer
  USING (purpose = 'owner' AND berth_owns_request(request_id));
--> statement-breakpoint

-- The desk sends a mail again: its state and its link change, never to whom it goes.
GRANT UPDATE (status, attempts, next_attempt_at, last_error, data) ON outbox TO berth_staff;
--> statement-breakpoint

-- An address that nobody has proved to be theirs gives no claim on what the house makes for that
-- address: whoever signed up with it first is signed out, what they prepared is forgotten, and the
-- mailed link decides. Says whether the address was unproved.
CREATE FUNCTION berth_forget_unproved(account text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM auth."user" u WHERE u.id = account AND NOT u.email_verified) THEN
    RETURN false;
  END IF;
  DELETE FROM public.sealed_secrets s USING public.onboarding_drafts d
    WHERE s.backend_id = d.backend_id AND d.user_id = account AND d.request_id IS NULL;
  DELETE FROM public.data_keys k USING public.onboarding_drafts d
    WHERE k.backend_id = d.backend_id AND d.user_id = account AND d.request_id IS NULL;
  DELETE FROM public.onboarding_drafts d WHERE d.user_id = account AND d.request_id IS NULL;
  RETURN true;
END
$$;
--> statement-breakpoint
CREATE FUNCTION berth_disown_account(account text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$
BEGIN
  IF NOT public.berth_forget_unproved(account) THEN
    RETURN false;
  END IF;
  -- First the password, whose row a sign-in under way holds: its session is then among those that end.
  DELETE FROM auth.account a WHERE a.user_id = berth_disown_account.account AND a.provider_id = 'credential';
  DELETE FROM auth.session s WHERE s.user_id = berth_disown_account.account;
  RETURN true;
END
$$;
--> statement-breakpoint
REVOKE EXECUTE ON FUNCTION berth_forget_unproved(text), berth_disown_account(text) FROM PUBLIC;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION berth_forget_unproved(text) TO berth_worker;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION berth_disown_account(text) TO berth_api, berth_staff;
--> statement-breakpoint
-- A sign-in that was under way when the password went makes no session.
CREATE FUNCTION berth_require_credential() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$
BEGIN
  PERFORM FROM auth.account a
    WHERE a.user_id = NEW.user_id AND a.provider_id = 'credential' AND a.password IS NOT NULL
    FOR KEY SHARE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'This account has no password any more.' USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN NEW;
END
$$;
--> statement-breakpoint
CREATE TRIGGER session_needs_credential BEFORE INSERT ON auth.session
  FOR EACH ROW EXECUTE FUNCTION berth_require_credential();
--> statement-breakpoint

-- The progress of a run is state, not history: whoever watches is told that it changed, and reads it.
CREATE FUNCTION berth_announce_step() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$
BEGIN
  PERFORM pg_notify('berth_progress', r.request_id::text) FROM public.provisioning_runs r WHERE r.id = NEW.run_id;
  RETURN NULL;
END
$$;
--> statement-breakpoint
CREATE TRIGGER provisioning_steps_announce AFTER UPDATE OF status ON provisioning_steps
  FOR EACH ROW EXECUTE FUNCTION berth_announce_step();
--> statement-breakpoint

-- A session that ends takes its streams with it.
CREATE FUNCTION berth_announce_session_end() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$
BEGIN
  PERFORM pg_notify('berth_sessions', OLD.id);
  RETURN NULL;
END
$$;
--> statement-breakpoint
CREATE TRIGGER session_end_announce AFTER DELETE ON auth.session
  FOR EACH ROW EXECUTE FUNCTION berth_announce_session_end();
