from devtools.authenticator import SoftAuthenticator
from tests.support.service import JANE, Service


def test_a_person_registers_logs_in_and_reads_their_profile(
    service: Service, device: SoftAuthenticator
) -> None:
    user = service.register(device)
    token = service.login(device)
    assert service.get(f"/users/{user['id']}", token).json() == user
    assert user["email"] == JANE["email"]
