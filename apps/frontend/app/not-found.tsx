import type { Metadata } from "next";

import { PlainPage } from "@/components/plain-page";
import { texts } from "@/lib/page";

export const generateMetadata = async (): Promise<Metadata> => ({ title: (await texts()).t("Not found") });

export default function NotFound() {
  return <PlainPage title="There is nothing here" text="The page may have moved, or the address has a typo." />;
}
