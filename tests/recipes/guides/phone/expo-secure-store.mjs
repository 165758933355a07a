// expo-secure-store on a machine that is no phone: a file in place of the keychain.
import { readFile, rm, writeFile } from "node:fs/promises";

export const AFTER_FIRST_UNLOCK_THIS_DEVICE_ONLY = 1;
const path = (key) => `keychain-${key}`;
export const getItemAsync = (key) => readFile(path(key), "utf8").catch(() => null);
export const setItemAsync = (key, value) => writeFile(path(key), value);
export const deleteItemAsync = (key) => rm(path(key), { force: true });
