-- Domains beyond the eight default ones, and default ones that were edited since.
SELECT count(*)
FROM domains
WHERE domain_name NOT IN (
        'health-wellness', 'business-strategy', 'education-learning', 'finance-investment',
        'life-coaching', 'legal-consulting', 'ai-technology', 'other')
   OR expert_names IS DISTINCT FROM '{}'::text[]
   OR updated_at IS DISTINCT FROM created_at
