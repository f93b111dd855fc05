const problems: Record<string, string> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is self-signed",
  SELF_SIGNED_CERT_IN_CHAIN: "its certificate comes from an authority that Berth does not know",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    "its certificate comes from an authority that Berth does not know",
  UNABLE_TO_GET_ISSUER_CERT: "its certificate comes from an authority that Berth does not know",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    "its certificate comes from an authority that Berth does not know",
  CERT_SIGNATURE_FAILURE: "the signature of its certificate is wrong",
  CERT_HAS_EXPIRED: "its certificate has expired",
  CERT_NOT_YET_VALID: "its certificate is not valid yet",
  CERT_REVOKED: "its certificate was revoked",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate was made for another name",
};

/**
 * What is wrong with a server's TLS in a few words, or `null` if the error is of another kind.
 * Codes are those of Node's `tls` module (X.509 verification) and OpenSSL.
 */
export function tlsProblem(error: unknown): string | null {
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : null;
  if (typeof code !== "string") return null;
  if (Object.hasOwn(problems, code)) return problems[code] ?? null;
  const handshake = code.startsWith("ERR_SSL_") || code.startsWith("ERR_TLS_") || code === "EPROTO";
  return handshake ? "the server does not speak TLS as it should" : null;
}
