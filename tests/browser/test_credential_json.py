"""Credentials that the browser cannot write as JSON, and browsers that cannot write or read it.

Extensions of password managers (Bitwarden, Proton, Enpass, KeePassXC) answer in place of the
browser. Their objects have the browser's prototypes but none of its inner state, so each inherited
getter and method throws TypeError "Illegal invocation".
"""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenDemo
from tests.browser.demo import Demo, Person

# Replaces both ceremonies by an extension that answers with `dress(parts, credential)`.
EXTENSION = """
(() => {
  const dress = %s;
  const padded = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)));
  const names = [
    'clientDataJSON', 'attestationObject', 'authenticatorData', 'signature', 'userHandle'];
  window.answers = [];
  for (const name of ['create', 'get']) {
    const native = CredentialsContainer.prototype[name];
    CredentialsContainer.prototype[name] = async function (options) {
      const credential = await native.call(this, options);
      const response = {};
      for (const member of names) {
        if (credential.response[member]) response[member] = credential.response[member];
      }
      const { id, rawId, type } = credential;
      const parts = { id, rawId, type, response };
      answers.push(dress(parts, credential, padded));
      return answers.at(-1);
    };
  }
})();
"""
LIKE_THE_BROWSER = """
  Object.setPrototypeOf(parts.response, Object.getPrototypeOf(credential.response));
  Object.setPrototypeOf(parts, PublicKeyCredential.prototype);
"""
DRESSES = {
    "prototypes of the browser, own getTransports": f"""(parts, credential) => {{
      parts.response.getTransports = () => ['internal'];
      parts.getClientExtensionResults = () => ({{ credProps: {{ rk: true }} }});
      parts.authenticatorAttachment = 'platform';
      {LIKE_THE_BROWSER} return parts;
    }}""",
    "prototypes of the browser, nothing else": f"""(parts, credential) => {{
      {LIKE_THE_BROWSER} return parts;
    }}""",
    "a plain object": "(parts) => parts",
    "views instead of buffers": """(parts) => {
      for (const [name, buffer] of Object.entries(parts.response)) {
        const longer = new Uint8Array([7, ...new Uint8Array(buffer), 7]);
        parts.response[name] = longer.subarray(1, -1);
      }
      return { ...parts, rawId: new Uint8Array(parts.rawId) };
    }""",
    "buffers of another realm": """(parts) => {
      const frame = document.body.appendChild(document.createElement('iframe'));
      const move = (buffer) => new frame.contentWindow.Uint8Array(new Uint8Array(buffer)).buffer;
      for (const [name, buffer] of Object.entries(parts.response)) {
        parts.response[name] = move(buffer);
      }
      return { ...parts, rawId: move(parts.rawId) };
    }""",
    "a toJSON that leaves buffers in it": "(parts) => ({ ...parts, toJSON: () => parts })",
    "a toJSON that writes padded base64": """(parts, credential, padded) => ({
      ...parts,
      toJSON: () => ({
        ...parts,
        rawId: padded(parts.rawId),
        response: Object.fromEntries(
          Object.entries(parts.response).map(([name, buffer]) => [name, padded(buffer)])),
      }),
    })""",
    "a toJSON that throws": """(parts) => ({
      ...parts, toJSON: () => { throw new TypeError('Illegal invocation'); },
    })""",
    "a toJSON that returns nothing": "(parts) => ({ ...parts, toJSON: () => undefined })",
}
# What Safari before 18.4, and other browsers of its time, do not have.
OLD_BROWSER = """
for (const name of ['parseCreationOptionsFromJSON', 'parseRequestOptionsFromJSON',
    'isConditionalMediationAvailable', 'signalUnknownCredential', 'getClientCapabilities']) {
  delete PublicKeyCredential[name];
}
delete PublicKeyCredential.prototype.toJSON;
delete AuthenticatorAttestationResponse.prototype.getTransports;
delete Element.prototype.checkVisibility;
delete AbortSignal.any;
delete Promise.withResolvers;
delete Uint8Array.fromBase64;
"""


@pytest.mark.parametrize("dress", DRESSES)
def test_the_passkey_of_a_password_manager_registers_and_signs_in(demo: Demo, dress: str) -> None:
    demo.page.add_init_script(EXTENSION % DRESSES[dress])
    demo.register()
    assert demo.page.evaluate("answers.length") == 2
    (sent,) = (body["credential"] for body in demo.bodies("/register/complete"))
    assert sent["id"] == sent["rawId"]
    assert demo.bodies("/login/complete")[0]["assertion"]["response"]["userHandle"]


def test_the_browser_itself_refuses_to_write_such_an_object(demo: Demo) -> None:
    """Else the tests above would prove nothing."""
    demo.page.add_init_script(EXTENSION % DRESSES["prototypes of the browser, nothing else"])
    demo.register()
    failure = "() => { try { answers[0].toJSON() } catch (error) { return String(error) } }"
    assert "Illegal invocation" in demo.page.evaluate(failure)


def test_what_a_password_manager_says_of_its_transports_is_kept(demo: Demo) -> None:
    demo.page.add_init_script(EXTENSION % DRESSES["prototypes of the browser, own getTransports"])
    demo.register()
    (sent,) = (body["credential"] for body in demo.bodies("/register/complete"))
    assert sent["response"]["transports"] == ["internal"]
    assert sent["clientExtensionResults"] == {"credProps": {"rk": True}}
    assert sent["authenticatorAttachment"] == "platform"


def test_an_answer_without_a_signature_is_a_message_and_not_a_request(demo: Demo) -> None:
    demo.register_and_sign_out()
    demo.page.evaluate(
        "navigator.credentials.get = async () => ({ id: 'AAAA', type: 'public-key' })"
    )
    before = demo.calls("/login/complete")
    demo.button("Sign in with a passkey").click()
    expect(demo.alert).to_contain_text("Your browser couldn’t finish this.")
    assert demo.calls("/login/complete") == before


def test_a_browser_without_the_json_functions_registers_and_signs_in(open_demo: OpenDemo) -> None:
    demo = open_demo()
    demo.page.add_init_script(OLD_BROWSER)
    person = Person()
    demo.register(person)
    assert demo.page.evaluate("'toJSON' in PublicKeyCredential.prototype") is False
    demo.sign_out()
    demo.sign_in(person.email)
    expect(demo.heading("Jane Doe")).to_be_visible()


def test_our_own_writer_and_the_browsers_agree(demo: Demo) -> None:
    """The same credential, written by both; the browser adds members that the service ignores."""
    demo.register()
    both = demo.page.evaluate(
        """async () => {
          const { writeCredential } = await import(
            document.querySelector('[href$="/webauthn_json.js"]').href);
          const publicKey = { challenge: new Uint8Array(32), rpId: 'localhost' };
          const credential = await navigator.credentials.get({ publicKey });
          const native = writeCredential(credential, 'get');
          credential.toJSON = undefined;
          return [native, JSON.parse(JSON.stringify(writeCredential(credential, 'get')))];
        }"""
    )
    assert both[0] == both[1]
