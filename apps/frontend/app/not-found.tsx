import type { Metadata } from "next";

import { PlainPage } from "@/components/plain-page";

export const metadata: Metadata = { title: "Not found" };

export default function NotFound() {
  return <PlainPage title="There is nothing here" text="The page may have moved, or the address has a typo." />;
}
