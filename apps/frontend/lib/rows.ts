import type { Todo } from "@/lib/types";

/** Keeps what the page knows better than the answer to a read that was under way when a row changed. */
export class RowsInFlight {
  #running = new Map<string, number>();
  #reads = new Set<Set<string>>();
  #asked = 0;
  #shown = 0;

  /** Whether a row is changing, or the list is read. */
  get busy(): boolean {
    return this.#running.size > 0 || this.#reads.size > 0;
  }

  begin(id: string): void {
    this.#running.set(id, (this.#running.get(id) ?? 0) + 1);
    this.#reads.forEach((known) => known.add(id));
  }

  end(id: string): void {
    const left = (this.#running.get(id) ?? 0) - 1;
    if (left > 0) this.#running.set(id, left);
    else this.#running.delete(id);
  }

  /** Reads the list, and returns what makes the list of now into the one to show. */
  async read(fetch: () => Promise<Todo[]>): Promise<(now: Todo[]) => Todo[]> {
    const better = new Set(this.#running.keys());
    const turn = ++this.#asked;
    this.#reads.add(better);
    try {
      const fetched = await fetch();
      if (turn < this.#shown) return (now) => now; // a later read was answered earlier
      this.#shown = turn;
      return (now) => [...fetched.filter(({ id }) => !better.has(id)), ...now.filter(({ id }) => better.has(id))];
    } finally {
      this.#reads.delete(better);
    }
  }
}
