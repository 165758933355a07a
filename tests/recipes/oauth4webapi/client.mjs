// Gets a token by each method of client authentication, and checks it with jose as a resource server would.
import * as oauth from "oauth4webapi";
import { createRemoteJWKSet, jwtVerify } from "jose";

const { issuer, clientId, secret, jwk, scope, resource } = JSON.parse(process.argv[2]);
const insecure = { [oauth.allowInsecureRequests]: true }; // the test has no TLS

const discovered = await oauth.discoveryRequest(new URL(issuer), { algorithm: "oauth2", ...insecure });
const server = await oauth.processDiscoveryResponse(new URL(issuer), discovered);
const client = { client_id: clientId };
const keys = createRemoteJWKSet(new URL(server.jwks_uri));
const key = await crypto.subtle.importKey("jwk", jwk, jwk.kty === "OKP" ? "Ed25519" : { name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);

const methods = {
  client_secret_basic: oauth.ClientSecretBasic(secret),
  client_secret_post: oauth.ClientSecretPost(secret),
  private_key_jwt: oauth.PrivateKeyJwt({ key, kid: jwk.kid }),
};
const results = {};
for (const [name, authentication] of Object.entries(methods)) {
  const asked = new URLSearchParams({ scope, resource });
  const response = await oauth.clientCredentialsGrantRequest(server, client, authentication, asked, insecure);
  const token = await oauth.processClientCredentialsResponse(server, client, response);
  const { payload } = await jwtVerify(token.access_token, keys, { issuer, audience: resource, typ: "at+jwt" });
  const introspected = await oauth.introspectionRequest(server, client, authentication, "unknown", insecure);
  const introspection = await oauth.processIntrospectionResponse(server, client, introspected);
  results[name] = { token, payload, introspection };
}

const refused = await oauth.clientCredentialsGrantRequest(server, client, methods.client_secret_post, new URLSearchParams({ scope: "nobody:has-it" }), insecure);
results.error = await oauth.processClientCredentialsResponse(server, client, refused).catch(({ error, status }) => ({ error, status }));
console.log(JSON.stringify(results));
