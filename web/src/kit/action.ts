import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNotify } from "ra-core";
import { toApiError, type ApiError } from "@/api/errors";

export interface Action<Input> {
  run: (input: Input) => void;
  isBusy: boolean;
  error: ApiError | null;
  reset: () => void;
}

interface ActionOptions<Input> {
  /** Does it and says, in one sentence, what the server answered: this is the toast. Null: the page says it. */
  act: (input: Input) => Promise<string | null>;
  onDone?: (input: Input) => void;
  /** Leave the error to the open dialog instead of a toast. */
  quietError?: boolean;
}

export function errorSentence(error: ApiError): string {
  return [error.message, error.hint, error.requestId ? `Request ${error.requestId}.` : null].filter(Boolean).join(" ");
}

/** One intention of a person: run it, tell the server's real outcome, read everything on the screen again. */
export function useAction<Input = void>({ act, onDone, quietError = false }: ActionOptions<Input>): Action<Input> {
  const notify = useNotify();
  const client = useQueryClient();
  const mutation = useMutation({
    mutationFn: act,
    onSuccess: (outcome, input) => {
      if (outcome !== null) notify(outcome, { type: "success" });
      onDone?.(input);
    },
    onError: (cause) => {
      if (!quietError) notify(errorSentence(toApiError(cause)), { type: "error" });
    },
    onSettled: () => client.invalidateQueries(),
  });
  return {
    run: (input) => mutation.mutate(input),
    isBusy: mutation.isPending,
    error: mutation.error ? toApiError(mutation.error) : null,
    reset: () => mutation.reset(),
  };
}
