/** A key is typed once; what keeps it is a cookie that no script can read. */

import { useEffect, useRef, useState } from "preact/hooks";
import { refused } from "../plant/api";
import { reopen } from "../plant/live";
import { enter, leave, me } from "../plant/person";
import { linkTo, place } from "../route";
import { fill, words } from "../words";

export function Login() {
  const [key, setKey] = useState("");
  const [failed, setFailed] = useState("");
  const first = useRef<HTMLInputElement>(null);
  useEffect(() => first.current?.focus(), []);
  const { login } = words.value;
  const send = (event: Event): void => {
    event.preventDefault();
    setFailed("");
    enter(key.trim()).then(
      () => {
        setKey("");
        reopen();
        if (place.value.page === "login") location.assign(linkTo("overview"));
      },
      (error: Error) => setFailed(error.message),
    );
  };
  return (
    <form class="panel login" onSubmit={send}>
      <h1>{login.title}</h1>
      <p>{login.why}</p>
      <label>
        <span class="choice-label">{login.key}</span>
        <input
          ref={first}
          type="password"
          autocomplete="current-password"
          required
          value={key}
          onInput={(event) => setKey(event.currentTarget.value)}
        />
      </label>{" "}
      <button type="submit">{login.enter}</button>
      {failed && (
        <p class="failed" role="alert">
          {fill(login.wrong, { detail: failed })}
        </p>
      )}
    </form>
  );
}

/** Who is here, and the way in or out. Whom this machine's own address makes known has no key. */
export function Person() {
  const { login } = words.value;
  if (!me.value || refused.value) return null;
  const said = fill(login.as, { name: me.value.name, role: me.value.role });
  if (me.value.name === "local")
    return (
      <a href={linkTo("login")} title={said}>
        {login.enter}
      </a>
    );
  return (
    <button type="button" title={login.leave} onClick={() => void leave()}>
      {said} ×
    </button>
  );
}
