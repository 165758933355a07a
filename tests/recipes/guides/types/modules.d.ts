// The parts of two packages that docs/guides/mobile.md uses, as those packages declare them: they need a phone.
declare module "expo-secure-store" {
  export type KeychainAccessibilityConstant = number;
  export interface SecureStoreOptions {
    keychainAccessible?: KeychainAccessibilityConstant;
  }
  export const AFTER_FIRST_UNLOCK_THIS_DEVICE_ONLY: KeychainAccessibilityConstant;
  export function getItemAsync(key: string, options?: SecureStoreOptions): Promise<string | null>;
  export function setItemAsync(key: string, value: string, options?: SecureStoreOptions): Promise<void>;
  export function deleteItemAsync(key: string, options?: SecureStoreOptions): Promise<void>;
}
declare module "react-native" {
  export const AppState: {
    addEventListener(type: "change", listener: (state: string) => void): { remove(): void };
  };
}
