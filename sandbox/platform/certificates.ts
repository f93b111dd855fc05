import "reflect-metadata";
import { webcrypto } from "node:crypto";
import { chmod, readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import * as x509 from "@peculiar/x509";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const DAY_MS = 86_400_000;
const CA_DAYS = 3_650;
/** Apple's platforms refuse server certificates that live longer than this. */
const SERVER_DAYS = 825;

x509.cryptoProvider.set(webcrypto as Crypto);

/** Where the certificates lie. */
export interface Certificates {
  caFile: string;
  caKeyFile: string;
  certFile: string;
  keyFile: string;
}

const serial = () => Buffer.from(webcrypto.getRandomValues(new Uint8Array(15))).toString("hex");

async function newKeys(): Promise<CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, [
    "sign",
    "verify",
  ]) as Promise<CryptoKeyPair>;
}

async function keyPem(key: CryptoKey): Promise<string> {
  const der = await webcrypto.subtle.exportKey("pkcs8", key as webcrypto.CryptoKey);
  return x509.PemConverter.encode(der, "PRIVATE KEY");
}

async function keyFromPem(pem: string): Promise<CryptoKey> {
  const [der] = x509.PemConverter.decode(pem);
  if (!der) throw new TypeError("The CA's key file holds no key.");
  return webcrypto.subtle.importKey("pkcs8", der, ALGORITHM, true, ["sign"]) as Promise<CryptoKey>;
}

/** The key is in place before the certificate that tells of it, and neither is ever half there. */
async function save(certFile: string, cert: string, keyFile: string, key: string): Promise<void> {
  for (const [file, text, mode] of [
    [keyFile, key, 0o600],
    [certFile, cert, 0o644],
  ] as const) {
    await writeFile(`${file}.new`, text, { mode });
    await chmod(`${file}.new`, mode);
    await rename(`${file}.new`, file);
  }
}

/** A certificate that is still good for a month; null when there is none. */
async function readValid(file: string): Promise<x509.X509Certificate | null> {
  const pem = await readFile(file, "utf8").catch(() => null);
  if (!pem) return null;
  const certificate = new x509.X509Certificate(pem);
  return certificate.notAfter.getTime() > Date.now() + 30 * DAY_MS ? certificate : null;
}

async function createAuthority(files: Certificates): Promise<x509.X509Certificate> {
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: "CN=Local stand-in for Supabase CA",
    notBefore: new Date(Date.now() - DAY_MS),
    notAfter: new Date(Date.now() + CA_DAYS * DAY_MS),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  await save(
    files.caFile,
    certificate.toString("pem"),
    files.caKeyFile,
    await keyPem(keys.privateKey),
  );
  return certificate;
}

async function createServerCertificate(
  files: Certificates,
  authority: x509.X509Certificate,
): Promise<void> {
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: "CN=127.0.0.1",
    issuer: authority.subject,
    notBefore: new Date(Date.now() - DAY_MS),
    notAfter: new Date(Date.now() + SERVER_DAYS * DAY_MS),
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey: await keyFromPem(await readFile(files.caKeyFile, "utf8")),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([
        { type: "ip", value: "127.0.0.1" },
        { type: "dns", value: "localhost" },
      ]),
      await x509.AuthorityKeyIdentifierExtension.create(authority.publicKey),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  await save(
    files.certFile,
    certificate.toString("pem"),
    files.keyFile,
    await keyPem(keys.privateKey),
  );
}

/**
 * The sandbox's own certificate authority (`ca.crt`, `ca.key`) and its server certificate for
 * 127.0.0.1 and localhost, in `folder`; made when missing, renewed before they end.
 */
export async function ensureCertificates(folder: string): Promise<Certificates> {
  const files: Certificates = {
    caFile: path.join(folder, "ca.crt"),
    caKeyFile: path.join(folder, "ca.key"),
    certFile: path.join(folder, "server.crt"),
    keyFile: path.join(folder, "server.key"),
  };
  const known = await readValid(files.caFile);
  const authority = known ?? (await createAuthority(files));
  const server = await readValid(files.certFile);
  if (!known || !server || !(await server.verify({ publicKey: authority.publicKey }))) {
    await createServerCertificate(files, authority);
  }
  return files;
}
