use kernel::id::{CustomerId, RequestId, SessionId, UserId};
use pg::Actor;
use uuid::Uuid;

use crate::TestDb;

pub(crate) fn new_id() -> Uuid {
    Uuid::now_v7()
}

impl TestDb {
    /// A signed-in person of the provider with this role (`owner`, `technician`, `auditor`).
    pub async fn staff(&self, role: &str) -> Actor {
        let (user, session) = self.person("staff", role).await;
        self.admin_client()
            .await
            .execute("insert into public.staff_members (user_id, role) values ($1, $2)", &[&user.0, &role])
            .await
            .expect("a staff member");
        actor("staff", user, session)
    }

    /// A signed-in person of one customer with this role (`portal_admin`, `portal_approver`).
    pub async fn portal(&self, customer: CustomerId, role: &str) -> Actor {
        let (user, session) = self.person("portal", role).await;
        self.admin_client()
            .await
            .execute(
                "insert into public.memberships (customer_id, user_id, role) values ($1, $2, $3)",
                &[&customer.0, &user.0, &role],
            )
            .await
            .expect("a membership");
        actor("authenticated", user, session)
    }

    /// Nobody.
    pub fn anonymous(&self) -> Actor {
        Actor::anonymous(RequestId(new_id()))
    }

    async fn person(&self, kind: &str, name: &str) -> (UserId, SessionId) {
        let (user, session) = (new_id(), new_id());
        let client = self.admin_client().await;
        let email = format!("{}.{}@test.example", name.replace('_', "."), user.simple());
        client
            .execute(
                "insert into auth.users (id, email, kind, display_name) values ($1, $2, $3, $4)",
                &[&user, &email, &kind, &name],
            )
            .await
            .expect("a user");
        client
            .execute(
                "insert into auth.sessions (id, user_id, expires_at) values ($1, $2, now() + interval '10 years')",
                &[&session, &user],
            )
            .await
            .expect("a session");
        (UserId(user), SessionId(session))
    }
}

fn actor(role: &str, user: UserId, session: SessionId) -> Actor {
    let claims = serde_json::json!({ "sub": user.0, "role": role, "session_id": session.0 }).to_string();
    Actor::person(role, user, session, claims).for_request(RequestId(new_id()))
}
