// What `auth migrate` does.
import { auth } from "./auth.mjs";
import { load } from "./modules.mjs";

const { getMigrations } = await load("better-auth/db/migration");
const { runMigrations } = await getMigrations(auth.options);
await runMigrations();
await auth.options.database.end();
