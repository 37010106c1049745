"use client";

import { useSyncExternalStore } from "react";

import { listAddress } from "@/lib/draft";

const never = () => () => {};

/** The way back to the list and the conversation that was open beside it, which only the browser knows. */
export function ListLink({ className }: { className: string }) {
  const address = useSyncExternalStore(
    never,
    () => listAddress(),
    () => "/todos",
  );
  return (
    <a href={address} className={className}>
      Back to your list
    </a>
  );
}
