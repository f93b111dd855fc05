-- Who may touch what. The roles themselves belong to the cluster and are made by `npm run migrate`
-- before this file runs; everything here belongs to berth_owner.

GRANT USAGE ON SCHEMA public TO berth_customer, berth_staff, berth_worker, berth_api, berth_auth;
--> statement-breakpoint
GRANT USAGE ON SCHEMA auth TO berth_customer, berth_staff, berth_worker, berth_api, berth_auth;
--> statement-breakpoint
REVOKE EXECUTE ON FUNCTION berth_now() FROM PUBLIC;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION berth_now() TO berth_customer, berth_staff, berth_worker, berth_api, berth_auth;
--> statement-breakpoint

-- The actor of this transaction, as set by withActor().
CREATE FUNCTION berth_actor_id() RETURNS text
LANGUAGE sql STABLE SET search_path = ''
AS $$ SELECT nullif(current_setting('berth.actor_id', true), '') $$;
--> statement-breakpoint

-- The catalogue is public; only staff change it.
GRANT SELECT ON plans, plan_targets, feature_templates TO berth_customer, berth_staff, berth_worker, berth_api;
--> statement-breakpoint
GRANT UPDATE (active) ON feature_templates TO berth_staff;
--> statement-breakpoint
-- A worker writes the shipped catalogue down when it starts.
GRANT INSERT, UPDATE ON plans, plan_targets, feature_templates TO berth_worker;
--> statement-breakpoint

-- Accounts: names and addresses are read everywhere, the rest is better-auth's alone. A customer made
-- through the API gets an account in the same transaction, and so does who joins the staff.
GRANT SELECT (id, name, email) ON auth."user" TO berth_staff, berth_worker, berth_api;
--> statement-breakpoint
GRANT INSERT ON auth."user" TO berth_api, berth_staff;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA auth TO berth_auth;
--> statement-breakpoint
-- Whether an account has a password is told; what stands in its row is not.
CREATE FUNCTION berth_has_password(account text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ''
AS $$
  SELECT EXISTS (
    SELECT FROM auth.account a
    WHERE a.user_id = berth_has_password.account AND a.provider_id = 'credential' AND a.password IS NOT NULL)
$$;
--> statement-breakpoint
REVOKE EXECUTE ON FUNCTION berth_has_password(text) FROM PUBLIC;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION berth_has_password(text) TO berth_api, berth_staff;
--> statement-breakpoint
GRANT SELECT ON admin_users TO berth_staff, berth_worker, berth_api;
--> statement-breakpoint
GRANT SELECT (user_id, role, deactivated_at) ON admin_users TO berth_auth;
--> statement-breakpoint
GRANT INSERT, UPDATE ON admin_users TO berth_staff;
--> statement-breakpoint

GRANT SELECT ON customers, provisioning_queue, request_events, request_clock_segments TO berth_customer;
--> statement-breakpoint
GRANT SELECT (id, customer_id, request_id, project_ref, url, status, installed, created_at, ready_at) ON customer_backends TO berth_customer;
--> statement-breakpoint
GRANT SELECT, INSERT ON customers TO berth_api;
--> statement-breakpoint
GRANT UPDATE (contact_name, phone, country, timezone, industry, updated_at) ON customers TO berth_api;
--> statement-breakpoint
GRANT SELECT ON customers TO berth_staff, berth_worker;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE ON provisioning_queue, request_clock_segments, customer_backends
  TO berth_staff, berth_worker, berth_api;
--> statement-breakpoint
-- What becomes of runs, mails and links, the machinery alone writes down.
GRANT SELECT, INSERT ON provisioning_runs, provisioning_steps, outbox, one_time_links
  TO berth_staff, berth_worker, berth_api;
--> statement-breakpoint
GRANT UPDATE ON provisioning_runs, provisioning_steps, outbox, one_time_links TO berth_worker;
--> statement-breakpoint
GRANT SELECT, INSERT ON request_events TO berth_staff, berth_worker, berth_api;
--> statement-breakpoint
GRANT SELECT, INSERT ON data_keys, sealed_secrets TO berth_staff, berth_worker, berth_api;
--> statement-breakpoint
GRANT DELETE ON data_keys, sealed_secrets TO berth_worker;
--> statement-breakpoint
GRANT SELECT, INSERT ON vault_canaries TO berth_worker;
--> statement-breakpoint
GRANT SELECT, INSERT ON idempotency_keys TO berth_api;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE ON rate_limits TO berth_api;
--> statement-breakpoint
GRANT SELECT, DELETE ON idempotency_keys, rate_limits TO berth_worker;
--> statement-breakpoint

-- Row-level security on everything that a customer owns: a customer sees its own rows, the rest of
-- the house sees all.
CREATE FUNCTION berth_owns_customer(customer uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ''
AS $$
  SELECT EXISTS (SELECT FROM public.customers c WHERE c.id = customer AND c.user_id = public.berth_actor_id())
$$;
--> statement-breakpoint
CREATE FUNCTION berth_owns_request(request uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ''
AS $$
  SELECT EXISTS (
    SELECT FROM public.provisioning_queue q JOIN public.customers c ON c.id = q.customer_id
    WHERE q.id = request AND c.user_id = public.berth_actor_id())
$$;
--> statement-breakpoint
REVOKE EXECUTE ON FUNCTION berth_actor_id(), berth_owns_customer(uuid), berth_owns_request(uuid) FROM PUBLIC;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION berth_actor_id(), berth_owns_customer(uuid), berth_owns_request(uuid) TO berth_customer, berth_staff, berth_worker, berth_api;
--> statement-breakpoint
DO $$
DECLARE
  owned text;
BEGIN
  FOREACH owned IN ARRAY ARRAY['customers', 'provisioning_queue', 'request_events', 'request_clock_segments',
    'customer_backends', 'provisioning_runs', 'provisioning_steps', 'outbox', 'one_time_links',
    'data_keys', 'sealed_secrets', 'idempotency_keys']
  LOOP
    EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', owned);
    EXECUTE format('CREATE POLICY house ON public.%I TO berth_staff, berth_worker, berth_api USING (true) WITH CHECK (true)', owned);
  END LOOP;
END
$$;
--> statement-breakpoint
CREATE POLICY own ON customers FOR SELECT TO berth_customer USING (user_id = (SELECT berth_actor_id()));
--> statement-breakpoint
CREATE POLICY own ON provisioning_queue FOR SELECT TO berth_customer USING (berth_owns_customer(customer_id));
--> statement-breakpoint
CREATE POLICY own ON request_events FOR SELECT TO berth_customer USING (berth_owns_request(request_id));
--> statement-breakpoint
CREATE POLICY own ON request_clock_segments FOR SELECT TO berth_customer USING (berth_owns_request(request_id));
--> statement-breakpoint
CREATE POLICY own ON customer_backends FOR SELECT TO berth_customer USING (berth_owns_customer(customer_id));
--> statement-breakpoint
ALTER TABLE audit_log ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY read ON audit_log FOR SELECT TO berth_staff, berth_api USING (true);
--> statement-breakpoint
-- Nobody writes a record in another one's name.
CREATE POLICY record ON audit_log FOR INSERT TO berth_customer, berth_staff, berth_worker, berth_api
  WITH CHECK ('berth_' || actor_kind = current_user AND actor_id = (SELECT berth_actor_id()));
--> statement-breakpoint

-- The audit record: anyone who acts may add to it, staff may read it, nobody may change it. The time
-- and the transaction are the database's own.
GRANT INSERT (actor_kind, actor_id, action, subject_kind, subject_id, request_id, origin, correlation_id, data)
  ON audit_log TO berth_customer, berth_staff, berth_worker, berth_api;
--> statement-breakpoint
GRANT SELECT ON audit_log TO berth_staff, berth_api;
--> statement-breakpoint
CREATE FUNCTION berth_refuse_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = ''
AS $$
BEGIN
  RAISE EXCEPTION 'The audit record cannot be changed: % on % is refused.', TG_OP, TG_TABLE_NAME
    USING ERRCODE = 'insufficient_privilege';
END
$$;
--> statement-breakpoint
CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE ON audit_log
  FOR EACH ROW EXECUTE FUNCTION berth_refuse_change();
--> statement-breakpoint
CREATE TRIGGER audit_log_no_truncate BEFORE TRUNCATE ON audit_log
  FOR EACH STATEMENT EXECUTE FUNCTION berth_refuse_change();
--> statement-breakpoint
ALTER TABLE audit_log ENABLE ALWAYS TRIGGER audit_log_append_only;
--> statement-breakpoint
ALTER TABLE audit_log ENABLE ALWAYS TRIGGER audit_log_no_truncate;
--> statement-breakpoint

-- No other edge exists. A test holds this list against the domain's own.
CREATE TABLE request_edges (
  before text NOT NULL,
  after text NOT NULL,
  PRIMARY KEY (before, after)
);
--> statement-breakpoint
INSERT INTO request_edges (before, after) VALUES
  ('pending', 'in_progress'),
  ('pending', 'migrating'),
  ('pending', 'cancelled'),
  ('in_progress', 'pending'),
  ('in_progress', 'waiting_on_customer'),
  ('in_progress', 'credentials_received'),
  ('in_progress', 'migrating'),
  ('in_progress', 'cancelled'),
  ('waiting_on_customer', 'in_progress'),
  ('waiting_on_customer', 'cancelled'),
  ('credentials_received', 'migrating'),
  ('migrating', 'completed'),
  ('migrating', 'failed'),
  ('failed', 'migrating'),
  ('failed', 'in_progress'),
  ('failed', 'cancelled');
--> statement-breakpoint
CREATE FUNCTION berth_guard_request() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.status <> 'pending' THEN
      RAISE EXCEPTION 'A request begins as pending, not as %.', NEW.status USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
  END IF;
  IF NEW.version <> OLD.version + 1 THEN
    RAISE EXCEPTION 'Each change of a request raises its version by one.' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.status <> OLD.status AND NOT EXISTS (
    SELECT FROM public.request_edges e WHERE e.before = OLD.status AND e.after = NEW.status
  ) THEN
    RAISE EXCEPTION 'A request cannot go from % to %.', OLD.status, NEW.status USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.lease_token < OLD.lease_token THEN
    RAISE EXCEPTION 'A fencing token never falls.' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END
$$;
--> statement-breakpoint
CREATE TRIGGER provisioning_queue_guard BEFORE INSERT OR UPDATE ON provisioning_queue
  FOR EACH ROW EXECUTE FUNCTION berth_guard_request();
--> statement-breakpoint

-- One NOTIFY per change; who listens reads the events themselves from the last one it knows.
CREATE FUNCTION berth_announce_event() RETURNS trigger
LANGUAGE plpgsql SET search_path = ''
AS $$
BEGIN
  PERFORM pg_notify('berth_events', NEW.id::text);
  RETURN NULL;
END
$$;
--> statement-breakpoint
CREATE TRIGGER request_events_announce AFTER INSERT ON request_events
  FOR EACH ROW EXECUTE FUNCTION berth_announce_event();
--> statement-breakpoint

-- What better-auth writes outside our transactions is audited here. Where the writer is one of our own
-- transactions, the actor is the one that withActor() named.
CREATE FUNCTION berth_audit_account() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$
DECLARE
  changed jsonb := to_jsonb(CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END);
BEGIN
  INSERT INTO public.audit_log (actor_kind, actor_id, action, subject_kind, subject_id, origin, correlation_id, data)
  VALUES (
    coalesce(nullif(current_setting('berth.actor_kind', true), ''), 'account'),
    coalesce(nullif(current_setting('berth.actor_id', true), ''), changed ->> 'user_id', changed ->> 'reference_id', changed ->> 'id'),
    'account.' || TG_TABLE_NAME || '.' || lower(TG_OP),
    TG_TABLE_NAME,
    changed ->> 'id',
    coalesce(nullif(current_setting('berth.origin', true), ''), changed ->> 'ip_address', ''),
    coalesce(current_setting('berth.correlation_id', true), ''),
    jsonb_strip_nulls(jsonb_build_object('userId', coalesce(changed ->> 'user_id', changed ->> 'reference_id'),
      'enabled', changed -> 'enabled'))
  );
  RETURN NULL;
END
$$;
--> statement-breakpoint
CREATE TRIGGER user_audit AFTER INSERT OR DELETE OR UPDATE OF email, email_verified ON auth."user"
  FOR EACH ROW EXECUTE FUNCTION berth_audit_account();
--> statement-breakpoint
CREATE TRIGGER session_audit AFTER INSERT OR DELETE ON auth.session
  FOR EACH ROW EXECUTE FUNCTION berth_audit_account();
--> statement-breakpoint
CREATE TRIGGER account_audit AFTER INSERT OR DELETE OR UPDATE OF password ON auth.account
  FOR EACH ROW EXECUTE FUNCTION berth_audit_account();
--> statement-breakpoint
CREATE TRIGGER apikey_audit AFTER INSERT OR DELETE ON auth.apikey
  FOR EACH ROW EXECUTE FUNCTION berth_audit_account();
--> statement-breakpoint
CREATE TRIGGER apikey_change_audit AFTER UPDATE ON auth.apikey
  FOR EACH ROW
  WHEN (OLD.enabled IS DISTINCT FROM NEW.enabled OR OLD.permissions IS DISTINCT FROM NEW.permissions
    OR OLD.expires_at IS DISTINCT FROM NEW.expires_at OR OLD.key IS DISTINCT FROM NEW.key)
  EXECUTE FUNCTION berth_audit_account();
--> statement-breakpoint

-- Fencing tokens of runs: one sequence for all, so that a later holder's is always larger.
CREATE SEQUENCE fencing_tokens AS bigint;
--> statement-breakpoint
GRANT USAGE ON SEQUENCE fencing_tokens TO berth_worker;
