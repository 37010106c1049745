"use client";

import { PlainPage } from "@/components/plain-page";

export default function ErrorPage() {
  return (
    <PlainPage
      title="Something went wrong"
      text="Your list is safe. Load the page again; if that does not help, try in a few minutes."
      href="/todos"
      action="Try again"
    />
  );
}
