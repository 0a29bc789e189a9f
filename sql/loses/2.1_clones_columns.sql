-- Clones with a value that is neither the column's default nor the mapping of step 6.2. NULL is no value.
SELECT count(*)
FROM clones
WHERE rag_enabled
   OR rag_initialization_status <> 'pending'
   OR rag_expert_name IS NOT NULL
   OR rag_config <> '{}'::jsonb
   -- Written out, because step 6.2's function is dropped before these columns are.
   OR rag_domain_mapping <> CASE category::text
            WHEN 'medical' THEN 'health-wellness'
            WHEN 'business' THEN 'business-strategy'
            WHEN 'education' THEN 'education-learning'
            WHEN 'finance' THEN 'finance-investment'
            WHEN 'coaching' THEN 'life-coaching'
            WHEN 'legal' THEN 'legal-consulting'
            WHEN 'ai' THEN 'ai-technology'
            ELSE 'other'
        END
