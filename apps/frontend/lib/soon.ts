/** Something that is done soon after it is asked for, not more often than every `pauseMs`, and not before it `may` be. */
export class Soon {
  #timer?: ReturnType<typeof setTimeout>;
  #next: number;

  constructor(
    private readonly what: () => void,
    private readonly may: () => boolean,
    private readonly pauseMs = 5000,
  ) {
    this.#next = Date.now() + pauseMs; // it has just been done
  }

  ask(): void {
    this.#timer ??= setTimeout(() => this.#turn(), Math.max(0, this.#next - Date.now()));
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  #turn(): void {
    this.#timer = undefined;
    this.#next = Date.now() + this.pauseMs;
    if (this.may()) this.what();
    else this.ask();
  }
}
