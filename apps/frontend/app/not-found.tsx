import { PlainPage } from "@/components/plain-page";
import { titled } from "@/lib/page";

export const generateMetadata = titled({ title: "Not found" });

export default function NotFound() {
  return <PlainPage title="There is nothing here" text="The page may have moved, or the address has a typo." />;
}
