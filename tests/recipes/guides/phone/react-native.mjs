// The part of react-native that tells of the app coming to the front; the driver calls the listener.
export const AppState = {
  addEventListener(_type, listener) {
    AppState.listener = listener;
    return { remove() {} };
  },
};
