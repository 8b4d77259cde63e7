"""The stock `supabase` client for Python, unchanged, against OBERA_URL. Ends with an error at the first surprise."""

import os
import time

from postgrest.exceptions import APIError
from supabase import create_client

client = create_client(os.environ["OBERA_URL"], "public")
signed_in = client.auth.sign_in_with_password(
    {"email": os.environ["OBERA_STAFF"], "password": os.environ["OBERA_PASSWORD"]}
)
assert signed_in.user.email == os.environ["OBERA_STAFF"]

# Lists
customer = client.table("customers").select("id, name").order("name").limit(1).single().execute().data
page = client.table("device_list").select("name", count="exact").order("name").range(0, 4).execute()
assert len(page.data) == 5 and page.count >= 5, page
names = [row["name"] for row in page.data]
again = client.table("device_list").select("name").in_("name", names).execute().data
assert {row["name"] for row in again} == set(names), again
embedded = client.table("devices").select("id, customers!inner(name)").eq("customers.name", customer["name"]).execute()
assert all(row["customers"]["name"] == customer["name"] for row in embedded.data) and embedded.data

# Writing
subject = f"From Python {time.time_ns()}"
ticket = client.table("tickets").insert({"customer_id": customer["id"], "subject": subject}).execute().data[0]
changed = client.table("tickets").update({"priority": "p1"}).eq("customer_id", customer["id"]).eq("id", ticket["id"]).execute()
assert changed.data[0]["priority"] == "p1", changed
try:
    client.table("tickets").insert({"customer_id": customer["id"], "subject": ""}).execute()
    raise AssertionError("an empty subject was taken")
except APIError as refused:
    assert refused.code == "23514", refused

# Functions
assert client.rpc("my_permissions").execute().data

# Files
files = client.storage.from_("attachments")
path = f"{customer['id']}/python/{time.time_ns()}.txt"
files.upload(path, b"hello", {"content-type": "text/plain"})
assert files.download(path) == b"hello"
assert path.rsplit("/", 1)[1] in [file["name"] for file in files.list(f"{customer['id']}/python")]
files.remove([path])

client.auth.sign_out()
print("all in order")
