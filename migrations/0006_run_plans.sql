CREATE TABLE "drift_acceptances" (
	"id" uuid PRIMARY KEY NOT NULL,
	"backend_id" uuid NOT NULL,
	"digest" text NOT NULL,
	"difference" text[] NOT NULL,
	"reason" text NOT NULL,
	"accepted_by" text NOT NULL,
	"accepted_at" timestamp (3) with time zone DEFAULT berth_now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "provisioning_runs" ADD COLUMN "basis" jsonb;--> statement-breakpoint
ALTER TABLE "provisioning_runs" ADD COLUMN "cancel_requested_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "provisioning_runs" ADD COLUMN "cancel_requested_by" text;--> statement-breakpoint
ALTER TABLE "provisioning_steps" ADD COLUMN "planned" text;--> statement-breakpoint
ALTER TABLE "provisioning_steps" ADD COLUMN "effects" jsonb;--> statement-breakpoint
ALTER TABLE "provisioning_steps" ADD COLUMN "expected_ms" integer;--> statement-breakpoint
ALTER TABLE "drift_acceptances" ADD CONSTRAINT "drift_acceptances_backend_id_customer_backends_id_fk" FOREIGN KEY ("backend_id") REFERENCES "public"."customer_backends"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "drift_acceptances" ADD CONSTRAINT "drift_acceptances_accepted_by_admin_users_user_id_fk" FOREIGN KEY ("accepted_by") REFERENCES "public"."admin_users"("user_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "drift_acceptances_backend_digest_key" ON "drift_acceptances" USING btree ("backend_id","digest");--> statement-breakpoint
CREATE INDEX "provisioning_steps_done_idx" ON "provisioning_steps" USING btree ("kind","checksum","ended_at") WHERE status = 'done';--> statement-breakpoint
ALTER TABLE "provisioning_steps" ADD CONSTRAINT "provisioning_steps_planned_known" CHECK ("provisioning_steps"."planned" in ('apply', 'applied', 'differs'));