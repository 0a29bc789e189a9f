-- Create Domain table with TEXT domain_name instead of enum
CREATE TABLE domains (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    domain_name TEXT NOT NULL UNIQUE,
    expert_names TEXT[] DEFAULT '{}'::TEXT[],
    created_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT NOW()
);

-- Nothing is visible through the API until step 4 adds the policies.
ALTER TABLE domains ENABLE ROW LEVEL SECURITY;
