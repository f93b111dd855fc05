import { BerthError } from "#app/platform/errors.ts";

export class KeyringError extends BerthError {
  constructor(message: string) {
    super("keyring_invalid", message, {
      fix: "Make a key with `npm run keys -- generate` and put it in ENCRYPTION_KEYS.",
    });
  }
}

/** The key that sealed this is not in the keyring. Other keys are not tried. */
export class UnknownKeyError extends BerthError {
  readonly keyId: string;
  constructor(keyId: string) {
    super(
      "key_unknown",
      `Secrets are sealed with the key "${keyId}", which is not in ENCRYPTION_KEYS.`,
      {
        fix: `Put the key "${keyId}" back into ENCRYPTION_KEYS.`,
      },
    );
    this.keyId = keyId;
  }
}

/** The key has the right name and the wrong bytes. */
export class WrongKeyError extends BerthError {
  constructor(keyId: string) {
    super(
      "key_wrong",
      `The key "${keyId}" in ENCRYPTION_KEYS is not the one that sealed the secrets.`,
      {
        fix: `Restore the original bytes of the key "${keyId}".`,
      },
    );
  }
}

export class UnknownFormatError extends BerthError {
  constructor(version: number | undefined) {
    super(
      "sealed_format_unknown",
      `A sealed value has the unknown format version ${version ?? "none"}.`,
    );
  }
}

export class SecretNotStorableError extends BerthError {
  constructor(field: string, why: string) {
    super("secret_not_storable", `The value of ${field} cannot be kept: ${why}.`);
  }
}

export class SecretMissingError extends BerthError {
  constructor() {
    super("secret_missing", "There are no sealed credentials for this backend.");
  }
}
