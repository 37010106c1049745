import { redirect } from "next/navigation";

import { maybeSignedIn } from "@/lib/page";

export default async function Home() {
  redirect((await maybeSignedIn()) ? "/todos" : "/login");
}
