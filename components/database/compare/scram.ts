/** What PostgreSQL keeps of a password (RFC 5802): who reads it cannot log in with it, so the password stays on this machine. */
import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";

/** The verifier of a password, as PostgreSQL stores it. */
export function scramVerifier(password: string, salt = randomBytes(16), iterations = 4096): string {
  const salted = pbkdf2Sync(password, salt, iterations, 32, "sha256");
  const keyed = (text: string) => createHmac("sha256", salted).update(text).digest();
  const storedKey = createHash("sha256").update(keyed("Client Key")).digest("base64");
  const serverKey = keyed("Server Key").toString("base64");
  return `SCRAM-SHA-256$${iterations}:${salt.toString("base64")}$${storedKey}:${serverKey}`;
}
