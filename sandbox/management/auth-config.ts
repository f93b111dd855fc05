/**
 * The fields of a project's Auth configuration: their names, types and the values of a fresh
 * project. Source: Supabase's Management API reference, "Gets project's auth config".
 * Most of them only come back as they were set; README.md lists those that have an effect.
 */
type Value = string | number | boolean | null;

/** What a field holds: its type and whether null is a value. */
interface AuthField {
  type: "string" | "number" | "boolean";
  nullable: boolean;
  initial: Value;
  secret: boolean;
}

const SECRET = /(_secret|_secrets|_pass|_auth_token|_access_key|_api_key|_api_secret)$/;

const fields = new Map<string, AuthField>();

function add(type: AuthField["type"], initial: Value, names: string, nullable = true): void {
  for (const name of names.split(/\s+/).filter(Boolean)) {
    fields.set(name, { type, nullable, initial, secret: SECRET.test(name) });
  }
}

/** Sign-in providers share a few field names; the letters tell which of them one has. */
const PROVIDERS = {
  apple: "aceks",
  azure: "ceksu",
  bitbucket: "ceks",
  discord: "ceks",
  facebook: "ceks",
  figma: "ceks",
  github: "ceks",
  gitlab: "ceksu",
  google: "aceksn",
  kakao: "ceks",
  keycloak: "ceksu",
  linkedin_oidc: "ceks",
  slack_oidc: "ceks",
  notion: "ceks",
  slack: "ceks",
  spotify: "ceks",
  twitch: "ceks",
  twitter: "ceks",
  x: "ceks",
  workos: "cksu",
  zoom: "ceks",
};
for (const [provider, parts] of Object.entries(PROVIDERS)) {
  const name = `external_${provider}_`;
  if (parts.includes("a")) add("string", null, `${name}additional_client_ids`);
  if (parts.includes("c")) add("string", null, `${name}client_id`);
  if (parts.includes("e")) add("boolean", false, `${name}email_optional`);
  if (parts.includes("k")) add("boolean", false, `${name}enabled`);
  if (parts.includes("s")) add("string", null, `${name}secret`);
  if (parts.includes("u")) add("string", null, `${name}url`);
  if (parts.includes("n")) add("boolean", false, `${name}skip_nonce_check`);
}

for (const hook of [
  "custom_access_token",
  "mfa_verification_attempt",
  "password_verification_attempt",
  "send_sms",
  "send_email",
  "before_user_created",
  "after_user_created",
]) {
  add("boolean", false, `hook_${hook}_enabled`);
  add("string", null, `hook_${hook}_uri hook_${hook}_secrets`);
}

const NOTIFICATIONS = [
  "password_changed",
  "email_changed",
  "phone_changed",
  "mfa_factor_enrolled",
  "mfa_factor_unenrolled",
  "identity_linked",
  "identity_unlinked",
];
for (const what of NOTIFICATIONS) {
  add("string", "", `mailer_subjects_${what}_notification`);
  add("string", "", `mailer_templates_${what}_notification_content`);
  add("boolean", false, `mailer_notifications_${what}_enabled`);
}
for (const [what, subject] of Object.entries({
  confirmation: "Confirm Your Signup",
  email_change: "Confirm Email Change",
  invite: "You have been invited",
  magic_link: "Your Magic Link",
  reauthentication: "Confirm Reauthentication",
  recovery: "Reset Your Password",
})) {
  add("string", subject, `mailer_subjects_${what}`);
  add("string", "", `mailer_templates_${what}_content`);
}

add(
  "boolean",
  true,
  `external_email_enabled refresh_token_rotation_enabled
  mailer_secure_email_change_enabled mfa_totp_enroll_enabled mfa_totp_verify_enabled`,
);
add(
  "boolean",
  false,
  `disable_signup external_anonymous_users_enabled external_phone_enabled
  external_web3_solana_enabled external_web3_ethereum_enabled mailer_autoconfirm
  mailer_allow_unverified_email_sign_ins mfa_phone_enroll_enabled mfa_phone_verify_enabled
  mfa_web_authn_enroll_enabled mfa_web_authn_verify_enabled nimbus_oauth_email_optional
  password_hibp_enabled saml_enabled saml_allow_encrypted_assertions
  security_sb_forwarded_for_enabled security_captcha_enabled security_manual_linking_enabled
  security_update_password_require_reauthentication sessions_single_per_user sms_autoconfirm`,
);
add(
  "boolean",
  false,
  `passkey_enabled oauth_server_enabled
  oauth_server_allow_dynamic_registration custom_oauth_enabled`,
  false,
);
add(
  "string",
  null,
  `db_max_pool_size_unit webauthn_rp_display_name webauthn_rp_id
  webauthn_rp_origins mfa_phone_template nimbus_oauth_client_id nimbus_oauth_client_secret
  password_required_characters saml_external_url security_captcha_provider
  security_captcha_secret sessions_tags sms_messagebird_access_key sms_messagebird_originator
  sms_provider sms_template sms_test_otp sms_test_otp_valid_until sms_textlocal_api_key
  sms_textlocal_sender sms_twilio_account_sid sms_twilio_auth_token sms_twilio_content_sid
  sms_twilio_message_service_sid sms_twilio_verify_account_sid sms_twilio_verify_auth_token
  sms_twilio_verify_message_service_sid sms_vonage_api_key sms_vonage_api_secret
  sms_vonage_from smtp_admin_email smtp_host smtp_pass smtp_port smtp_sender_name smtp_user
  oauth_server_authorization_path`,
);
add("string", "", "site_url uri_allow_list");
for (const [name, value] of Object.entries({
  api_max_request_duration: 10,
  db_max_pool_size: 10,
  jwt_exp: 3600,
  mailer_otp_length: 8,
  mfa_max_enrolled_factors: 10,
  mfa_phone_max_frequency: 5,
  password_min_length: 6,
  rate_limit_anonymous_users: 30,
  rate_limit_email_sent: 2,
  rate_limit_sms_sent: 30,
  rate_limit_token_refresh: 150,
  rate_limit_verify: 30,
  rate_limit_otp: 30,
  rate_limit_web3: 30,
  security_refresh_token_reuse_interval: 10,
  sessions_inactivity_timeout: 0,
  sessions_timebox: 0,
  sms_max_frequency: 5,
  sms_otp_exp: 60,
  smtp_max_frequency: 60,
})) {
  add("number", value, name);
}
add("number", 3600, "mailer_otp_exp", false);
add("number", 6, "mfa_phone_otp_length sms_otp_length", false);
add("number", 0, "custom_oauth_max_providers", false);

/** All fields by name. */
export const AUTH_FIELDS: ReadonlyMap<string, AuthField> = fields;

/** The settings that Auth's stand-in goes by. */
export interface AuthSettings {
  site_url: string;
  uri_allow_list: string;
  disable_signup: boolean;
  external_email_enabled: boolean;
  external_phone_enabled: boolean;
  external_anonymous_users_enabled: boolean;
  mailer_autoconfirm: boolean;
  sms_autoconfirm: boolean;
  saml_enabled: boolean;
  mailer_otp_exp: number;
  mailer_otp_length: number;
  jwt_exp: number;
  password_min_length: number;
}

/**
 * The whole configuration of a project: what was set over what a fresh one has. A fresh
 * project's site is its own welcome page, so that a link from a mail leads somewhere.
 */
export function authConfig(set: Record<string, unknown>, origin: string) {
  const initial = [...fields].map(([name, field]) => [name, field.initial]);
  const config: Record<string, unknown> = { ...Object.fromEntries(initial), ...set };
  config.site_url ||= `${origin}/welcome`;
  return config as Record<string, unknown> & AuthSettings;
}
