// React hooks in server-side rendering; test/react-page.mjs is driven in Chromium.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient } from "latchkey-client";
import { LatchkeyProvider, useSession } from "latchkey-client/react";
import { createElement } from "react";
import { renderToString } from "react-dom/server";
import { createNetwork, createStorage, register, url } from "./support.mjs";

test("on a server the status is unknown, whatever the client knows, and nothing is sent", async () => {
  const network = createNetwork();
  const client = createClient({ url, storage: createStorage(), fetch: network.fetch });
  await client.signIn(await register());
  const sent = network.requests.length;
  const Status = () => createElement("p", null, useSession().status);
  assert.equal(renderToString(createElement(LatchkeyProvider, { client }, createElement(Status))), "<p>unknown</p>");
  assert.throws(() => renderToString(createElement(Status)), /LatchkeyProvider/);
  assert.equal(network.requests.length, sent);
});
