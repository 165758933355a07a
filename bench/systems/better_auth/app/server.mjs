// Better Auth on node's own server, in one process.
import { createServer } from "node:http";
import { auth } from "./auth.mjs";
import { load } from "./modules.mjs";

const { toNodeHandler } = await load("better-auth/node");
createServer(toNodeHandler(auth)).listen(Number(process.env.BENCH_PORT), "127.0.0.1");
process.on("SIGTERM", () => process.exit(0));
