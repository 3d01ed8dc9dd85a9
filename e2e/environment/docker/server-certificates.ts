import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** The three files that `DOCKER_CERT_PATH` holds, and the two of the server. */
export interface ServerCertificates {
  readonly directory: string;
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

/** Makes an authority, a server certificate for loopback, and a client certificate: `ca.pem`, `cert.pem`, `key.pem`. */
export function makeCertificates(directory: string): ServerCertificates {
  const at = (name: string) => join(directory, name);
  const openssl = (...words: string[]) => execFileSync("openssl", words, { cwd: directory, stdio: "pipe" });
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
  openssl("req", "-x509", ...newKey, "-keyout", "ca-key.pem", "-out", "ca.pem", "-subj", "/CN=clipper test");
  const sign = (name: string, key: string, extensions: string) => {
    writeFileSync(at(`${name}.ext`), extensions);
    openssl("req", ...newKey, "-keyout", key, "-out", `${name}.csr`, "-subj", `/CN=${name}`);
    const authority = ["-CA", "ca.pem", "-CAkey", "ca-key.pem", "-CAcreateserial"];
    const to = ["-out", `${name}.pem`, "-days", "2", "-extfile", `${name}.ext`];
    openssl("x509", "-req", "-in", `${name}.csr`, ...authority, ...to);
  };
  sign(
    "server",
    "server-key.pem",
    "subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth\n",
  );
  sign("cert", "key.pem", "extendedKeyUsage=clientAuth\n");
  return {
    directory,
    authority: at("ca.pem"),
    certificate: at("server.pem"),
    key: at("server-key.pem"),
  };
}
