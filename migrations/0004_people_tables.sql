CREATE TABLE "onboarding_drafts" (
	"id" uuid PRIMARY KEY NOT NULL,
	"user_id" text NOT NULL,
	"answers" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"version" integer DEFAULT 1 NOT NULL,
	"backend_id" uuid,
	"request_id" uuid,
	"created_at" timestamp (3) with time zone DEFAULT berth_now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT berth_now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "outbox" DROP CONSTRAINT "outbox_kind_known";--> statement-breakpoint
ALTER TABLE "one_time_links" ALTER COLUMN "request_id" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "outbox" ALTER COLUMN "request_id" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "onboarding_drafts" ADD CONSTRAINT "onboarding_drafts_user_id_user_id_fk" FOREIGN KEY ("user_id") REFERENCES "auth"."user"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "onboarding_drafts" ADD CONSTRAINT "onboarding_drafts_request_id_provisioning_queue_id_fk" FOREIGN KEY ("request_id") REFERENCES "public"."provisioning_queue"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "onboarding_drafts_open_key" ON "onboarding_drafts" USING btree ("user_id") WHERE request_id is null;--> statement-breakpoint
CREATE UNIQUE INDEX "onboarding_drafts_backend_id_key" ON "onboarding_drafts" USING btree ("backend_id");--> statement-breakpoint
CREATE INDEX "onboarding_drafts_user_id_idx" ON "onboarding_drafts" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "onboarding_drafts_request_id_idx" ON "onboarding_drafts" USING btree ("request_id");--> statement-breakpoint
CREATE INDEX "onboarding_drafts_updated_at_idx" ON "onboarding_drafts" USING btree ("updated_at") WHERE request_id is null;--> statement-breakpoint
CREATE INDEX "audit_log_at_idx" ON "audit_log" USING btree ("at");--> statement-breakpoint
CREATE INDEX "customers_words_idx" ON "customers" USING gin (array_to_tsvector(array_remove(regexp_split_to_array(lower("company" || ' ' || "contact_name" || ' ' || "email"), '[^[:alnum:]]+'), '')));--> statement-breakpoint
CREATE INDEX "one_time_links_subject_idx" ON "one_time_links" USING btree ("subject_id","purpose");--> statement-breakpoint
CREATE INDEX "outbox_status_idx" ON "outbox" USING btree ("status","id");--> statement-breakpoint
CREATE INDEX "outbox_kind_idx" ON "outbox" USING btree ("kind","id");--> statement-breakpoint
CREATE INDEX "outbox_recipient_idx" ON "outbox" USING btree ("recipient" text_pattern_ops,"id");--> statement-breakpoint
CREATE INDEX "provisioning_runs_ended_idx" ON "provisioning_runs" USING btree ("ended_at");--> statement-breakpoint
CREATE INDEX "provisioning_queue_created_idx" ON "provisioning_queue" USING btree ("created_at");--> statement-breakpoint
CREATE INDEX "request_events_kind_idx" ON "request_events" USING btree ("kind","at");--> statement-breakpoint
ALTER TABLE "outbox" ADD CONSTRAINT "outbox_kind_known" CHECK ("outbox"."kind" in ('received', 'claimed', 'credentials_problem', 'ready', 'failed', 'cancelled', 'invitation', 'password'));