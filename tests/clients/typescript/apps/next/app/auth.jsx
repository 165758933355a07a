"use client";

import { createClient } from "latchkey-client";
import { LatchkeyProvider, useSession } from "latchkey-client/react";

const client = createClient({ url: "https://auth.example.com", browserSession: true });

export const Auth = ({ children }) => <LatchkeyProvider client={client}>{children}</LatchkeyProvider>;

export const Status = () => <p id="client">{useSession().status}</p>;
