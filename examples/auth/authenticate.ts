import { config, type Hook } from "@enoki/enoki";
import { errors, jwtVerify } from "npm:jose@6.2.18";

/** The user that a token names. */
export interface User {
  readonly id: string;
  readonly name: string;
}

/** A call without a valid token: 401 over HTTP. */
export class Unauthenticated extends Error {
  override readonly name = "Unauthenticated";
  readonly status = 401;
}

/** The dependencies of every service that uses {@linkcode authenticate}. */
export const authentication = { jwtSecret: config<string>("JWT_SECRET") };

/**
 * Verifies the JSON Web Token of a call and puts its user into the context.
 *
 * A request has the token in its `authorization` header, a call and an event have it in their context data. It travels
 * on with everything that the handler sends, so that the next service verifies it, too.
 */
const authenticate: Hook<{ user: User }> = async (call, next) => {
  const token = call.request?.headers.get("authorization")?.replace(/^Bearer /i, "") ??
    call.headers.auth_token;
  if (typeof token !== "string") throw new Unauthenticated("A token is missing");
  const user = await userOf(token, String(call.context.jwtSecret));
  call.carry({ auth_token: token, user_id: user.id });
  return await next({ user });
};
export { authenticate };

async function userOf(token: string, secret: string): Promise<User> {
  try {
    const { payload } = await jwtVerify(token, new TextEncoder().encode(secret));
    return { id: String(payload.sub), name: String(payload.name) };
  } catch (error) {
    if (error instanceof errors.JOSEError) throw new Unauthenticated("The token is not valid");
    throw error;
  }
}
