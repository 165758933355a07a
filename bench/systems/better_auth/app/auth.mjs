// Better Auth by its documentation: Installation, PostgreSQL, Email & Password, Bearer.
import { createHash, timingSafeEqual } from "node:crypto";
import { load } from "./modules.mjs";

const { betterAuth } = await load("better-auth");
const { bearer } = await load("better-auth/plugins");
const { default: pg } = await load("pg");

const digest = (password) => createHash("sha256").update(password).digest();
const cheap = {
  hash: async (password) => digest(password).toString("hex"),
  verify: async ({ hash, password }) => timingSafeEqual(Buffer.from(hash, "hex"), digest(password)),
};

export const auth = betterAuth({
  database: new pg.Pool({ connectionString: process.env.DATABASE_URL }), // ten connections, as it ships
  emailAndPassword: {
    enabled: true,
    ...(process.env.BENCH_CHEAP_HASH === "1" && { password: cheap }), // otherwise scrypt, as it ships
  },
  session: { expiresIn: 30 * 24 * 60 * 60 }, // without cookieCache, which also ships off: every request looks
  rateLimit: { enabled: false }, // three sign-ins in ten seconds from one address would end the bench at once
  plugins: [bearer()],
});
