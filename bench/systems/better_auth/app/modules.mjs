// Node looks for modules beside the file that asks; those of the bench are in an environment of their own.
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const { resolve } = createRequire(join(process.env.BENCH_MODULES, "of-the-bench.js"));

export const load = (name) => import(pathToFileURL(resolve(name)));
