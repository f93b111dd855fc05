ALTER TABLE "provisioning_steps" DROP CONSTRAINT "provisioning_steps_kind_known";--> statement-breakpoint
ALTER TABLE "customer_backends" ADD COLUMN "due_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "customer_backends" ADD COLUMN "due_failures" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "provisioning_queue" ADD COLUMN "parameters" jsonb DEFAULT '{}'::jsonb NOT NULL;--> statement-breakpoint
CREATE INDEX "customer_backends_due_at_idx" ON "customer_backends" USING btree ("due_at") WHERE status = 'ready';--> statement-breakpoint
ALTER TABLE "provisioning_steps" ADD CONSTRAINT "provisioning_steps_kind_known" CHECK ("provisioning_steps"."kind" in ('preflight', 'sql', 'storage', 'auth-config', 'seed', 'owner', 'health'));--> statement-breakpoint
-- Whoever inserts a row names its columns, and reads them back.
GRANT SELECT (due_at, due_failures) ON customer_backends TO berth_customer;
