from tests.security.conftest import World, register


async def test_the_mailed_links_lead_to_pages_that_run_our_script_alone(world: World):
    async with world.client() as client:
        signed_in = await register(client)
        await client.post("/auth/password/forgot", json={"email": signed_in["email"]})
        await world.container.shop.auth.send_requested_mail()
        rows = await world.container.ground.mongo.database("notifications")["notifications"].find({}).to_list(None)
        told = {row["template"]: row for row in rows if row["user_id"] == signed_in["user"]["userId"]}
        assert {"password_reset", "verify_email"} <= set(told)
        folder = world.container.mail_folder
        assert folder is not None
        mails = [file.read_text() for file in folder.glob("*.eml")]
        assert any(
            "http://127.0.0.1:8000/account/reset-password#token=" in mail.replace("=\n", "").replace("=3D", "=")
            for mail in mails
        )
        for page in ("reset-password", "verify-email", "link.js"):
            answer = await client.get(f"/account/{page}")
            assert answer.status_code == 200
            assert "script-src 'self'" in answer.headers["content-security-policy"]
