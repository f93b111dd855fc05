-- The one way from a business transaction into the job engine's tables, whose schema belongs to
-- berth_jobs. The queue's own settings apply, as they do for a job sent by pg-boss itself.
CREATE FUNCTION berth_enqueue(queue_name text, payload jsonb, start_after timestamptz DEFAULT now(), unique_key text DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$
DECLARE
  wake boolean;
BEGIN
  -- The engine's own queues are not for us to write to.
  IF queue_name LIKE '\_\_%' THEN
    RAISE EXCEPTION 'The queue % belongs to the job engine.', queue_name USING ERRCODE = 'insufficient_privilege';
  END IF;
  SELECT q.notify INTO wake FROM pgboss.queue q WHERE q.name = queue_name;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'No job queue is called %.', queue_name USING ERRCODE = 'undefined_object';
  END IF;
  INSERT INTO pgboss.job (name, data, start_after, singleton_key, keep_until, expire_seconds, deletion_seconds,
    retry_limit, retry_delay, retry_backoff, retry_delay_max, policy, dead_letter, heartbeat_seconds)
  SELECT queue_name, payload, berth_enqueue.start_after, unique_key,
    berth_enqueue.start_after + q.retention_seconds * interval '1 second', q.expire_seconds, q.deletion_seconds,
    q.retry_limit, q.retry_delay, coalesce(q.retry_backoff, false), q.retry_delay_max, q.policy, q.dead_letter,
    q.heartbeat_seconds
  FROM pgboss.queue q WHERE q.name = queue_name
  ON CONFLICT DO NOTHING;
  -- pg-boss listens on a channel named after its schema; the payload is the queue.
  IF wake AND berth_enqueue.start_after <= now() THEN
    PERFORM pg_notify('pgboss_' || left(encode(sha224('pgboss'::bytea), 'hex'), 24), queue_name);
  END IF;
END
$$;
--> statement-breakpoint
REVOKE EXECUTE ON FUNCTION berth_enqueue(text, jsonb, timestamptz, text) FROM PUBLIC;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION berth_enqueue(text, jsonb, timestamptz, text) TO berth_customer, berth_staff, berth_worker, berth_api;
--> statement-breakpoint

-- How many migrations this database has: a process that is newer than its schema does not start.
CREATE FUNCTION berth_schema_version() RETURNS integer
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = ''
AS $$ BEGIN RETURN (SELECT count(*) FROM drizzle.__drizzle_migrations); END $$;
--> statement-breakpoint
REVOKE EXECUTE ON FUNCTION berth_schema_version() FROM PUBLIC;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION berth_schema_version() TO berth_worker;
