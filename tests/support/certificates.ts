/** Certificates for the tests' own TLS servers. */
import "reflect-metadata";
import { randomBytes, webcrypto } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import * as x509 from "@peculiar/x509";

const EC = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const DAY_MS = 86_400_000;

x509.cryptoProvider.set(webcrypto as Crypto);

export interface KeyAndCertificate {
  cert: string;
  key: string;
}

const lifetime = () => ({
  notBefore: new Date(Date.now() - DAY_MS),
  notAfter: new Date(Date.now() + 30 * DAY_MS),
  serialNumber: randomBytes(12).toString("hex"),
  signingAlgorithm: EC,
});

async function newKeys(): Promise<CryptoKeyPair> {
  return (await webcrypto.subtle.generateKey(EC, true, ["sign", "verify"])) as CryptoKeyPair;
}

async function keyToPem(key: CryptoKey): Promise<string> {
  const pkcs8 = await webcrypto.subtle.exportKey("pkcs8", key as webcrypto.CryptoKey);
  return x509.PemConverter.encode(pkcs8, "PRIVATE KEY");
}

/** Writes `ca.crt` and `ca.key` of a new authority into a folder, as the sandbox has them in its own. */
export async function createAuthority(folder: string): Promise<void> {
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    ...lifetime(),
    name: "CN=Berth test authority",
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
    ],
  });
  await writeFile(path.join(folder, "ca.crt"), certificate.toString("pem"));
  await writeFile(path.join(folder, "ca.key"), await keyToPem(keys.privateKey), { mode: 0o600 });
}

/**
 * Mints a server certificate for 127.0.0.1 and localhost, signed by the authority whose `ca.crt`
 * and `ca.key` (ECDSA, P-256) lie in `folder`.
 */
export async function mintServerCertificate(folder: string): Promise<KeyAndCertificate> {
  const authority = new x509.X509Certificate(await readFile(path.join(folder, "ca.crt"), "utf8"));
  const [der] = x509.PemConverter.decode(await readFile(path.join(folder, "ca.key"), "utf8"));
  if (!der) throw new TypeError("ca.key holds no key.");
  const signingKey = (await webcrypto.subtle.importKey("pkcs8", der, EC, false, [
    "sign",
  ])) as CryptoKey;
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.create({
    ...lifetime(),
    subject: "CN=127.0.0.1",
    issuer: authority.subject,
    publicKey: keys.publicKey,
    signingKey,
    extensions: [
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([
        { type: "ip", value: "127.0.0.1" },
        { type: "dns", value: "localhost" },
      ]),
    ],
  });
  return { cert: certificate.toString("pem"), key: await keyToPem(keys.privateKey) };
}
