CREATE SCHEMA "auth";
--> statement-breakpoint
CREATE TABLE "idempotency_keys" (
	"owner_id" text NOT NULL,
	"key" text NOT NULL,
	"body_hash" text NOT NULL,
	"status" integer NOT NULL,
	"answer" jsonb NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT berth_now() NOT NULL,
	CONSTRAINT "idempotency_keys_owner_id_key_pk" PRIMARY KEY("owner_id","key")
);
--> statement-breakpoint
CREATE TABLE "rate_limits" (
	"bucket" text NOT NULL,
	"window_start" timestamp (3) with time zone NOT NULL,
	"spent" integer NOT NULL,
	CONSTRAINT "rate_limits_bucket_window_start_pk" PRIMARY KEY("bucket","window_start")
);
--> statement-breakpoint
CREATE TABLE "audit_log" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "audit_log_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"at" timestamp (3) with time zone DEFAULT berth_now() NOT NULL,
	"actor_kind" text NOT NULL,
	"actor_id" text NOT NULL,
	"action" text NOT NULL,
	"subject_kind" text NOT NULL,
	"subject_id" text NOT NULL,
	"request_id" text,
	"origin" text DEFAULT '' NOT NULL,
	"correlation_id" text DEFAULT '' NOT NULL,
	"data" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"xid" "xid8" DEFAULT pg_current_xact_id() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "auth"."account" (
	"id" text PRIMARY KEY NOT NULL,
	"user_id" text NOT NULL,
	"account_id" text NOT NULL,
	"provider_id" text NOT NULL,
	"access_token" text,
	"refresh_token" text,
	"access_token_expires_at" timestamp (3) with time zone,
	"refresh_token_expires_at" timestamp (3) with time zone,
	"scope" text,
	"id_token" text,
	"password" text,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "auth"."apikey" (
	"id" text PRIMARY KEY NOT NULL,
	"config_id" text DEFAULT 'default' NOT NULL,
	"name" text,
	"start" text,
	"reference_id" text NOT NULL,
	"prefix" text,
	"key" text NOT NULL,
	"refill_interval" integer,
	"refill_amount" integer,
	"last_refill_at" timestamp (3) with time zone,
	"enabled" boolean DEFAULT true NOT NULL,
	"rate_limit_enabled" boolean DEFAULT false NOT NULL,
	"rate_limit_time_window" integer,
	"rate_limit_max" integer,
	"request_count" integer DEFAULT 0 NOT NULL,
	"remaining" integer,
	"last_request" timestamp (3) with time zone,
	"expires_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"permissions" text,
	"metadata" text,
	CONSTRAINT "apikey_key_unique" UNIQUE("key")
);
--> statement-breakpoint
CREATE TABLE "auth"."session" (
	"id" text PRIMARY KEY NOT NULL,
	"user_id" text NOT NULL,
	"token" text NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"ip_address" text,
	"user_agent" text,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "session_token_unique" UNIQUE("token")
);
--> statement-breakpoint
CREATE TABLE "auth"."user" (
	"id" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"email" text NOT NULL,
	"email_verified" boolean DEFAULT false NOT NULL,
	"image" text,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "user_email_unique" UNIQUE("email")
);
--> statement-breakpoint
CREATE TABLE "auth"."verification" (
	"id" text PRIMARY KEY NOT NULL,
	"identifier" text NOT NULL,
	"value" text NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "customer_backends" (
	"id" uuid PRIMARY KEY NOT NULL,
	"customer_id" uuid NOT NULL,
	"request_id" uuid NOT NULL,
	"project_ref" text NOT NULL,
	"url" text NOT NULL,
	"status" text NOT NULL,
	"generation" integer DEFAULT 1 NOT NULL,
	"installed" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"owner_user_id" text,
	"created_at" timestamp (3) with time zone DEFAULT berth_now() NOT NULL,
	"ready_at" timestamp (3) with time zone,
	"retired_at" timestamp (3) with time zone,
	CONSTRAINT "customer_backends_status_known" CHECK ("customer_backends"."status" in ('offered', 'building', 'ready', 'retired'))
);
--> statement-breakpoint
CREATE TABLE "feature_templates" (
	"name" text NOT NULL,
	"version" text NOT NULL,
	"title" text NOT NULL,
	"description" text NOT NULL,
	"category" text NOT NULL,
	"requires" jsonb NOT NULL,
	"checksum" text NOT NULL,
	"active" boolean DEFAULT true NOT NULL,
	"released_at" timestamp (3) with time zone DEFAULT berth_now() NOT NULL,
	CONSTRAINT "feature_templates_name_version_pk" PRIMARY KEY("name","version")
);
--> statement-breakpoint
CREATE TABLE "plan_targets" (
	"plan_id" text NOT NULL,
	"priority" text NOT NULL,
	"hours" integer NOT NULL,
	CONSTRAINT "plan_targets_plan_id_priority_pk" PRIMARY KEY("plan_id","priority"),
	CONSTRAINT "plan_targets_priority_known" CHECK ("plan_targets"."priority" in ('vip', 'high', 'normal', 'low')),
	CONSTRAINT "plan_targets_hours_positive" CHECK ("plan_targets"."hours" > 0)
);
--> statement-breakpoint
CREATE TABLE "plans" (
	"id" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"description" text NOT NULL,
	"monthly_price" integer NOT NULL,
	"yearly_price" integer NOT NULL,
	"currency" text DEFAULT 'EUR' NOT NULL,
	"templates" text[] NOT NULL,
	"position" integer NOT NULL,
	"active" boolean DEFAULT true NOT NULL
);
--> statement-breakpoint
CREATE TABLE "customers" (
	"id" uuid PRIMARY KEY NOT NULL,
	"user_id" text NOT NULL,
	"company" text NOT NULL,
	"contact_name" text NOT NULL,
	"email" text NOT NULL,
	"phone" text,
	"country" text NOT NULL,
	"timezone" text NOT NULL,
	"industry" text,
	"created_at" timestamp (3) with time zone DEFAULT berth_now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT berth_now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "admin_users" (
	"user_id" text PRIMARY KEY NOT NULL,
	"role" text NOT NULL,
	"capacity" integer DEFAULT 10 NOT NULL,
	"regions" text[] DEFAULT '{}' NOT NULL,
	"skills" text[] DEFAULT '{}' NOT NULL,
	"on_duty" boolean DEFAULT true NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT berth_now() NOT NULL,
	"deactivated_at" timestamp (3) with time zone,
	CONSTRAINT "admin_users_role_known" CHECK ("admin_users"."role" in ('admin', 'supervisor', 'operator')),
	CONSTRAINT "admin_users_capacity_positive" CHECK ("admin_users"."capacity" >= 0)
);
--> statement-breakpoint
CREATE TABLE "one_time_links" (
	"id" uuid PRIMARY KEY NOT NULL,
	"purpose" text NOT NULL,
	"subject_id" text NOT NULL,
	"request_id" uuid NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT berth_now() NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"claimed_until" timestamp (3) with time zone,
	"used_at" timestamp (3) with time zone,
	CONSTRAINT "one_time_links_purpose_known" CHECK ("one_time_links"."purpose" in ('set-password', 'owner'))
);
--> statement-breakpoint
CREATE TABLE "outbox" (
	"id" uuid PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"request_id" uuid NOT NULL,
	"recipient" text NOT NULL,
	"data" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"status" text DEFAULT 'waiting' NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"next_attempt_at" timestamp (3) with time zone DEFAULT berth_now() NOT NULL,
	"last_error" text,
	"created_at" timestamp (3) with time zone DEFAULT berth_now() NOT NULL,
	"sent_at" timestamp (3) with time zone,
	CONSTRAINT "outbox_status_known" CHECK ("outbox"."status" in ('waiting', 'sent', 'dead')),
	CONSTRAINT "outbox_kind_known" CHECK ("outbox"."kind" in ('received', 'claimed', 'credentials_problem', 'ready', 'failed'))
);
--> statement-breakpoint
CREATE TABLE "provisioning_runs" (
	"id" uuid PRIMARY KEY NOT NULL,
	"request_id" uuid NOT NULL,
	"backend_id" uuid NOT NULL,
	"status" text DEFAULT 'queued' NOT NULL,
	"templates" jsonb NOT NULL,
	"lease_owner" text,
	"lease_token" bigint,
	"lease_expires_at" timestamp (3) with time zone,
	"takeovers" integer DEFAULT 0 NOT NULL,
	"error" jsonb,
	"created_at" timestamp (3) with time zone DEFAULT berth_now() NOT NULL,
	"started_at" timestamp (3) with time zone,
	"ended_at" timestamp (3) with time zone,
	CONSTRAINT "provisioning_runs_status_known" CHECK ("provisioning_runs"."status" in ('queued', 'running', 'succeeded', 'failed', 'needs_person', 'cancelled'))
);
--> statement-breakpoint
CREATE TABLE "provisioning_steps" (
	"id" uuid PRIMARY KEY NOT NULL,
	"run_id" uuid NOT NULL,
	"position" integer NOT NULL,
	"name" text NOT NULL,
	"kind" text NOT NULL,
	"status" text DEFAULT 'pending' NOT NULL,
	"template" text,
	"file" text,
	"ledger_version" text,
	"checksum" text,
	"attempts" integer DEFAULT 0 NOT NULL,
	"started_at" timestamp (3) with time zone,
	"ended_at" timestamp (3) with time zone,
	"duration_ms" integer,
	"outcome" jsonb,
	"error" jsonb,
	CONSTRAINT "provisioning_steps_status_known" CHECK ("provisioning_steps"."status" in ('pending', 'running', 'done', 'failed', 'needs_person')),
	CONSTRAINT "provisioning_steps_kind_known" CHECK ("provisioning_steps"."kind" in ('preflight', 'sql', 'seed', 'auth-config', 'owner', 'health'))
);
--> statement-breakpoint
CREATE TABLE "provisioning_queue" (
	"id" uuid PRIMARY KEY NOT NULL,
	"customer_id" uuid NOT NULL,
	"plan_id" text NOT NULL,
	"billing_cycle" text NOT NULL,
	"region" text NOT NULL,
	"features" text[] NOT NULL,
	"priority" text NOT NULL,
	"status" text DEFAULT 'pending' NOT NULL,
	"version" integer DEFAULT 1 NOT NULL,
	"due_at" timestamp (3) with time zone,
	"assignee_id" text,
	"lease_token" bigint DEFAULT 0 NOT NULL,
	"lease_expires_at" timestamp (3) with time zone,
	"failure" jsonb,
	"created_at" timestamp (3) with time zone DEFAULT berth_now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT berth_now() NOT NULL,
	"ended_at" timestamp (3) with time zone,
	CONSTRAINT "provisioning_queue_status_known" CHECK ("provisioning_queue"."status" in ('pending', 'in_progress', 'waiting_on_customer', 'credentials_received', 'migrating', 'completed', 'failed', 'cancelled')),
	CONSTRAINT "provisioning_queue_priority_known" CHECK ("provisioning_queue"."priority" in ('vip', 'high', 'normal', 'low')),
	CONSTRAINT "provisioning_queue_billing_cycle_known" CHECK ("provisioning_queue"."billing_cycle" in ('monthly', 'yearly'))
);
--> statement-breakpoint
CREATE TABLE "request_clock_segments" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "request_clock_segments_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"request_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"started_at" timestamp (3) with time zone NOT NULL,
	"ended_at" timestamp (3) with time zone,
	CONSTRAINT "request_clock_segments_kind_known" CHECK ("request_clock_segments"."kind" in ('running', 'paused', 'stopped'))
);
--> statement-breakpoint
CREATE TABLE "request_events" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "request_events_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"request_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"at" timestamp (3) with time zone DEFAULT berth_now() NOT NULL,
	"actor_kind" text NOT NULL,
	"actor_id" text NOT NULL,
	"data" jsonb DEFAULT '{}'::jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "data_keys" (
	"backend_id" uuid NOT NULL,
	"generation" integer NOT NULL,
	"key_id" text NOT NULL,
	"wrapped" "bytea" NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT berth_now() NOT NULL,
	CONSTRAINT "data_keys_backend_id_generation_pk" PRIMARY KEY("backend_id","generation")
);
--> statement-breakpoint
CREATE TABLE "sealed_secrets" (
	"backend_id" uuid NOT NULL,
	"generation" integer NOT NULL,
	"field" text NOT NULL,
	"purpose" text NOT NULL,
	"sealed" "bytea" NOT NULL,
	"last_four" text NOT NULL,
	"fingerprint" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT berth_now() NOT NULL,
	CONSTRAINT "sealed_secrets_backend_id_generation_field_pk" PRIMARY KEY("backend_id","generation","field")
);
--> statement-breakpoint
CREATE TABLE "vault_canaries" (
	"key_id" text PRIMARY KEY NOT NULL,
	"sealed" "bytea" NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT berth_now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "auth"."account" ADD CONSTRAINT "account_user_id_user_id_fk" FOREIGN KEY ("user_id") REFERENCES "auth"."user"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "auth"."apikey" ADD CONSTRAINT "apikey_reference_id_user_id_fk" FOREIGN KEY ("reference_id") REFERENCES "auth"."user"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "auth"."session" ADD CONSTRAINT "session_user_id_user_id_fk" FOREIGN KEY ("user_id") REFERENCES "auth"."user"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "customer_backends" ADD CONSTRAINT "customer_backends_customer_id_customers_id_fk" FOREIGN KEY ("customer_id") REFERENCES "public"."customers"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "customer_backends" ADD CONSTRAINT "customer_backends_request_id_provisioning_queue_id_fk" FOREIGN KEY ("request_id") REFERENCES "public"."provisioning_queue"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "plan_targets" ADD CONSTRAINT "plan_targets_plan_id_plans_id_fk" FOREIGN KEY ("plan_id") REFERENCES "public"."plans"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "customers" ADD CONSTRAINT "customers_user_id_user_id_fk" FOREIGN KEY ("user_id") REFERENCES "auth"."user"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "admin_users" ADD CONSTRAINT "admin_users_user_id_user_id_fk" FOREIGN KEY ("user_id") REFERENCES "auth"."user"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "one_time_links" ADD CONSTRAINT "one_time_links_request_id_provisioning_queue_id_fk" FOREIGN KEY ("request_id") REFERENCES "public"."provisioning_queue"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "outbox" ADD CONSTRAINT "outbox_request_id_provisioning_queue_id_fk" FOREIGN KEY ("request_id") REFERENCES "public"."provisioning_queue"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "provisioning_runs" ADD CONSTRAINT "provisioning_runs_request_id_provisioning_queue_id_fk" FOREIGN KEY ("request_id") REFERENCES "public"."provisioning_queue"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "provisioning_runs" ADD CONSTRAINT "provisioning_runs_backend_id_customer_backends_id_fk" FOREIGN KEY ("backend_id") REFERENCES "public"."customer_backends"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "provisioning_steps" ADD CONSTRAINT "provisioning_steps_run_id_provisioning_runs_id_fk" FOREIGN KEY ("run_id") REFERENCES "public"."provisioning_runs"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "provisioning_queue" ADD CONSTRAINT "provisioning_queue_customer_id_customers_id_fk" FOREIGN KEY ("customer_id") REFERENCES "public"."customers"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "provisioning_queue" ADD CONSTRAINT "provisioning_queue_plan_id_plans_id_fk" FOREIGN KEY ("plan_id") REFERENCES "public"."plans"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "provisioning_queue" ADD CONSTRAINT "provisioning_queue_assignee_id_admin_users_user_id_fk" FOREIGN KEY ("assignee_id") REFERENCES "public"."admin_users"("user_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "request_clock_segments" ADD CONSTRAINT "request_clock_segments_request_id_provisioning_queue_id_fk" FOREIGN KEY ("request_id") REFERENCES "public"."provisioning_queue"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "request_events" ADD CONSTRAINT "request_events_request_id_provisioning_queue_id_fk" FOREIGN KEY ("request_id") REFERENCES "public"."provisioning_queue"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "idempotency_keys_created_at_idx" ON "idempotency_keys" USING btree ("created_at");--> statement-breakpoint
CREATE INDEX "rate_limits_window_start_idx" ON "rate_limits" USING btree ("window_start");--> statement-breakpoint
CREATE INDEX "audit_log_request_id_idx" ON "audit_log" USING btree ("request_id","id");--> statement-breakpoint
CREATE INDEX "audit_log_subject_idx" ON "audit_log" USING btree ("subject_kind","subject_id","id");--> statement-breakpoint
CREATE INDEX "audit_log_actor_idx" ON "audit_log" USING btree ("actor_id","id");--> statement-breakpoint
CREATE INDEX "audit_log_action_idx" ON "audit_log" USING btree ("action","id");--> statement-breakpoint
CREATE INDEX "account_user_id_idx" ON "auth"."account" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "apikey_reference_id_idx" ON "auth"."apikey" USING btree ("reference_id");--> statement-breakpoint
CREATE INDEX "session_user_id_idx" ON "auth"."session" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "verification_identifier_idx" ON "auth"."verification" USING btree ("identifier");--> statement-breakpoint
CREATE UNIQUE INDEX "customer_backends_live_project_key" ON "customer_backends" USING btree ("project_ref") WHERE status <> 'retired';--> statement-breakpoint
CREATE UNIQUE INDEX "customer_backends_live_request_key" ON "customer_backends" USING btree ("request_id") WHERE status <> 'retired';--> statement-breakpoint
CREATE INDEX "customer_backends_request_id_idx" ON "customer_backends" USING btree ("request_id");--> statement-breakpoint
CREATE INDEX "customer_backends_customer_id_idx" ON "customer_backends" USING btree ("customer_id");--> statement-breakpoint
CREATE UNIQUE INDEX "customers_email_company_key" ON "customers" USING btree ("email",lower("company"));--> statement-breakpoint
CREATE INDEX "customers_user_id_idx" ON "customers" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "one_time_links_request_id_idx" ON "one_time_links" USING btree ("request_id");--> statement-breakpoint
CREATE INDEX "outbox_waiting_idx" ON "outbox" USING btree ("next_attempt_at") WHERE status = 'waiting';--> statement-breakpoint
CREATE INDEX "outbox_request_id_idx" ON "outbox" USING btree ("request_id");--> statement-breakpoint
CREATE UNIQUE INDEX "provisioning_runs_one_per_backend_key" ON "provisioning_runs" USING btree ("backend_id") WHERE status in ('queued', 'running');--> statement-breakpoint
CREATE INDEX "provisioning_runs_request_id_idx" ON "provisioning_runs" USING btree ("request_id","id");--> statement-breakpoint
CREATE INDEX "provisioning_runs_open_idx" ON "provisioning_runs" USING btree ("lease_expires_at") WHERE status in ('queued', 'running');--> statement-breakpoint
CREATE UNIQUE INDEX "provisioning_steps_run_position_key" ON "provisioning_steps" USING btree ("run_id","position");--> statement-breakpoint
CREATE INDEX "provisioning_queue_order_idx" ON "provisioning_queue" USING btree (coalesce(due_at, 'infinity'::timestamptz),"id");--> statement-breakpoint
CREATE INDEX "provisioning_queue_waiting_idx" ON "provisioning_queue" USING btree ("due_at","id") WHERE status = 'pending';--> statement-breakpoint
CREATE INDEX "provisioning_queue_status_idx" ON "provisioning_queue" USING btree ("status",coalesce(due_at, 'infinity'::timestamptz),"id");--> statement-breakpoint
CREATE INDEX "provisioning_queue_priority_idx" ON "provisioning_queue" USING btree ("priority",coalesce(due_at, 'infinity'::timestamptz),"id");--> statement-breakpoint
CREATE INDEX "provisioning_queue_customer_id_idx" ON "provisioning_queue" USING btree ("customer_id");--> statement-breakpoint
CREATE INDEX "provisioning_queue_assignee_id_idx" ON "provisioning_queue" USING btree ("assignee_id");--> statement-breakpoint
CREATE INDEX "provisioning_queue_plan_id_idx" ON "provisioning_queue" USING btree ("plan_id");--> statement-breakpoint
CREATE INDEX "provisioning_queue_lease_idx" ON "provisioning_queue" USING btree ("lease_expires_at") WHERE status = 'in_progress';--> statement-breakpoint
CREATE INDEX "provisioning_queue_ended_idx" ON "provisioning_queue" USING btree ("ended_at");--> statement-breakpoint
CREATE INDEX "request_clock_segments_request_id_idx" ON "request_clock_segments" USING btree ("request_id","started_at");--> statement-breakpoint
CREATE INDEX "request_events_request_id_idx" ON "request_events" USING btree ("request_id","id");