export * from "./errors.ts";
export { createKeyring, generateKey, type Keyring, type MasterKey } from "./keyring.ts";
export { createVault, type SecretRef, type SecretTrace, type Vault } from "./vault.ts";
