-- Row-level security of revision 0001, and the few narrow doors through it.
--
-- A statement begins after a line of three dashes and its title. A transaction says who it works for
-- (arcane/kit/database.py); the words below are what it said, or NULL:
--   {organisation} {project} {user}   ids
--   {instance}                        true for the instance owner's pages and for start-up
--   {app_role}                        the role of the running application, which owns nothing
--   {open} ... {close}                the wall is open for the statement between them, in a door only
-- What a transaction does not say, it does not see. FORCE binds the owner of the tables as well.

--- users: oneself, whoever is in the organisation of the transaction, everybody for the instance
CREATE POLICY tenant ON users USING (id = {user} OR {instance}) WITH CHECK (id = {user} OR {instance});
--- users: the names of an organisation's members
CREATE POLICY members ON users FOR SELECT USING (
    EXISTS (
        SELECT 1 FROM organisation_members m WHERE m.user_id = users.id AND m.organisation_id = {organisation}
    )
);
--- sessions: one's own
CREATE POLICY tenant ON sessions USING (user_id = {user} OR {instance}) WITH CHECK (user_id = {user} OR {instance});
--- setup links: the instance's
CREATE POLICY tenant ON setup_links USING ({instance}) WITH CHECK ({instance});
--- organisations: the transaction's
CREATE POLICY tenant ON organisations
    USING (id = {organisation} OR {instance}) WITH CHECK (id = {organisation} OR {instance});
--- organisations: "mine", while no organisation is chosen
CREATE POLICY mine ON organisations FOR SELECT USING (
    {organisation} IS NULL AND EXISTS (
        SELECT 1 FROM organisation_members m WHERE m.organisation_id = organisations.id AND m.user_id = {user}
    )
);
--- organisation members: the organisation's
CREATE POLICY tenant ON organisation_members
    USING (organisation_id = {organisation} OR {instance})
    WITH CHECK (organisation_id = {organisation} OR {instance});
--- organisation members: my own memberships, while no organisation is chosen
CREATE POLICY mine ON organisation_members FOR SELECT USING ({organisation} IS NULL AND user_id = {user});
--- projects: the organisation's; inside a project, that project
CREATE POLICY tenant ON projects
    USING ((organisation_id = {organisation} AND coalesce(id = {project}, true)) OR {instance})
    WITH CHECK ((organisation_id = {organisation} AND coalesce(id = {project}, true)) OR {instance});
--- roles: everybody reads the system's, an organisation its own, a project its own
CREATE POLICY readable ON roles FOR SELECT USING (
    is_system
    OR (organisation_id = {organisation} AND coalesce(project_id = {project}, true))
    OR {instance}
);
--- roles: a system role is never written, nor an organisation's role from inside a project
CREATE POLICY tenant ON roles
    USING (NOT is_system AND (
        (organisation_id = {organisation} AND ({project} IS NULL OR project_id = {project})) OR {instance}
    ))
    WITH CHECK (NOT is_system AND (
        (organisation_id = {organisation} AND ({project} IS NULL OR project_id = {project})) OR {instance}
    ));
--- project members
CREATE POLICY tenant ON project_members
    USING ((organisation_id = {organisation} AND coalesce(project_id = {project}, true)) OR {instance})
    WITH CHECK ((organisation_id = {organisation} AND coalesce(project_id = {project}, true)) OR {instance});
--- project member roles
CREATE POLICY tenant ON project_member_roles
    USING ((organisation_id = {organisation} AND coalesce(project_id = {project}, true)) OR {instance})
    WITH CHECK ((organisation_id = {organisation} AND coalesce(project_id = {project}, true)) OR {instance});
--- invitations: the organisation's
CREATE POLICY tenant ON invitations
    USING (organisation_id = {organisation} OR {instance})
    WITH CHECK (organisation_id = {organisation} OR {instance});
--- api keys
CREATE POLICY tenant ON api_keys
    USING ((organisation_id = {organisation} AND coalesce(project_id = {project}, true)) OR {instance})
    WITH CHECK ((organisation_id = {organisation} AND coalesce(project_id = {project}, true)) OR {instance});
--- attribute visibility rules
CREATE POLICY tenant ON attribute_visibility_rules
    USING ((organisation_id = {organisation} AND coalesce(project_id = {project}, true)) OR {instance})
    WITH CHECK ((organisation_id = {organisation} AND coalesce(project_id = {project}, true)) OR {instance});
--- roles of attribute visibility rules
CREATE POLICY tenant ON attribute_visibility_rule_roles
    USING ((organisation_id = {organisation} AND coalesce(project_id = {project}, true)) OR {instance})
    WITH CHECK ((organisation_id = {organisation} AND coalesce(project_id = {project}, true)) OR {instance});
--- audit: read by the organisation, inside a project that project's
CREATE POLICY tenant ON audit_entries FOR SELECT USING (
    (organisation_id = {organisation} AND ({project} IS NULL OR project_id = {project})) OR {instance}
);
--- audit: what belongs to no organisation (a sign-in) is written by anyone
CREATE POLICY written ON audit_entries FOR INSERT WITH CHECK (
    organisation_id IS NULL OR organisation_id = {organisation} OR {instance}
);
--- audit: nobody rewrites what happened
REVOKE UPDATE, DELETE ON audit_entries FROM "{app_role}";

--- door: who holds this session token
CREATE FUNCTION access_session(given bytea)
RETURNS TABLE (session_id uuid, user_id uuid, email text, name text, is_owner boolean, expires_at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
{open}
    RETURN QUERY
    SELECT s.id, u.id, u.email, u.name, u.is_owner, s.expires_at
    FROM sessions s JOIN users u ON u.id = s.user_id
    WHERE s.token_hash = given AND s.expires_at > now();
{close}
$$;
--- door: what this API key opens
CREATE FUNCTION access_api_key(given bytea)
RETURNS TABLE (
    key_id uuid, name text, scope text, expires_at timestamptz, organisation_id uuid, project_id uuid
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
{open}
    RETURN QUERY
    SELECT k.id, k.name, k.scope, k.expires_at, k.organisation_id, k.project_id FROM api_keys k
    WHERE k.key_hash = given AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now());
{close}
$$;
--- door: every role of one user; a row without project is the organisation's, without role a member without one
CREATE FUNCTION access_grants(of_user uuid)
RETURNS TABLE (organisation_id uuid, project_id uuid, role_id uuid, permissions text[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
{open}
    RETURN QUERY
    SELECT m.organisation_id, NULL::uuid, r.id, r.permissions
    FROM organisation_members m JOIN roles r ON r.id = m.role_id
    WHERE m.user_id = of_user
    UNION ALL
    SELECT m.organisation_id, m.project_id, r.id, r.permissions
    FROM project_members m
    LEFT JOIN project_member_roles h ON h.member_id = m.id
    LEFT JOIN roles r ON r.id = h.role_id
    WHERE m.user_id = of_user;
{close}
$$;
--- door: which organisation and project an address names
CREATE FUNCTION access_place(
    by_organisation_id uuid, by_organisation_slug text, by_project_id uuid, by_project_slug text
)
RETURNS TABLE (organisation_id uuid, organisation_slug text, project_id uuid, project_slug text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
{open}
    RETURN QUERY
    SELECT o.id, o.slug, p.id, p.slug
    FROM organisations o JOIN projects p ON p.organisation_id = o.id
    WHERE (by_project_id IS NOT NULL OR (by_project_slug IS NOT NULL AND by_organisation_slug IS NOT NULL))
      AND (by_project_id IS NULL OR p.id = by_project_id)
      AND (by_project_slug IS NULL OR p.slug = by_project_slug)
      AND (by_organisation_id IS NULL OR o.id = by_organisation_id)
      AND (by_organisation_slug IS NULL OR o.slug = by_organisation_slug)
    UNION ALL
    SELECT o.id, o.slug, NULL::uuid, NULL::text
    FROM organisations o
    WHERE by_project_id IS NULL AND by_project_slug IS NULL
      AND (o.id = by_organisation_id OR o.slug = by_organisation_slug);
{close}
$$;
--- door: the password of whoever signs in
CREATE FUNCTION access_credentials(by_email text)
RETURNS TABLE (user_id uuid, email text, name text, password_hash text, is_owner boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
{open}
    RETURN QUERY
    SELECT u.id, u.email, u.name, u.password_hash, u.is_owner FROM users u WHERE u.email = by_email;
{close}
$$;
--- door: what this invitation says
CREATE FUNCTION access_invitation(given bytea)
RETURNS TABLE (
    invitation_id uuid, organisation_id uuid, organisation_name text, organisation_slug text, email text,
    status text, expires_at timestamptz, invited_by text, has_account boolean
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
{open}
    RETURN QUERY
    SELECT i.id, o.id, o.name, o.slug, i.email, i.status, i.expires_at, i.invited_by,
           EXISTS (SELECT 1 FROM users u WHERE u.email = i.email)
    FROM invitations i JOIN organisations o ON o.id = i.organisation_id
    WHERE i.token_hash = given;
{close}
$$;
--- door: does this instance have an owner
CREATE FUNCTION access_is_set_up(OUT is_set_up boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
{open}
    is_set_up := EXISTS (SELECT 1 FROM users WHERE users.is_owner);
{close}
$$;
--- door: when keys were last used, many at once
CREATE FUNCTION access_touch_api_keys(ids uuid[], times timestamptz[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
{open}
    UPDATE api_keys k SET last_used_at = seen.at
    FROM unnest(ids, times) AS seen (id, at)
    WHERE k.id = seen.id AND (k.last_used_at IS NULL OR k.last_used_at < seen.at);
{close}
$$;
--- door: when sessions were last seen, many at once
CREATE FUNCTION access_touch_sessions(ids uuid[], times timestamptz[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
{open}
    UPDATE sessions s SET last_seen_at = seen.at
    FROM unnest(ids, times) AS seen (id, at)
    WHERE s.id = seen.id AND s.last_seen_at < seen.at;
{close}
$$;

--- the six system roles; what they may do stands in arcane/access/permissions.py
INSERT INTO roles (id, created_at, updated_at, level, name, description, permissions, is_system)
SELECT id::uuid, now(), now(), level, name, description, '{}', true
FROM (VALUES
    ('00000000-0000-7000-8000-000000000001', 'instance', 'Owner',
     'Everything, in every organisation of this instance.'),
    ('00000000-0000-7000-8000-000000000002', 'organisation', 'Organisation Admin',
     'Everything in the organisation and in all of its projects.'),
    ('00000000-0000-7000-8000-000000000003', 'organisation', 'Organisation Member',
     'Belongs to the organisation; projects are joined one by one.'),
    ('00000000-0000-7000-8000-000000000004', 'project', 'Project Admin',
     'Everything in the project: its work, members, roles, API keys and attribute visibility.'),
    ('00000000-0000-7000-8000-000000000005', 'project', 'Member',
     'Works in the project: reads traces, changes datasets, prompts, experiments, evaluations and annotations.'),
    ('00000000-0000-7000-8000-000000000006', 'project', 'Viewer',
     'Reads what is in the project.')
) AS system_role (id, level, name, description);
