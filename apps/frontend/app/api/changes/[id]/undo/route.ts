import { BackendError, callBackend } from "@/lib/backend";
import { signedIn, success } from "@/lib/handler";

export const POST = signedIn(async (_request, token, { id = "" }) => {
  if (!/^[0-9]{1,19}$/.test(id)) throw new BackendError(404, "There is no such change.");
  return success(await callBackend(`/api/v1/changes/${id}/undo`, { method: "POST", token }));
});
