-- Create function to map clone categories to RAG domains
CREATE FUNCTION map_clone_category_to_domain(category TEXT)
RETURNS TEXT AS $$
BEGIN
    RETURN CASE category
        WHEN 'medical' THEN 'health-wellness'
        WHEN 'business' THEN 'business-strategy'
        WHEN 'education' THEN 'education-learning'
        WHEN 'finance' THEN 'finance-investment'
        WHEN 'coaching' THEN 'life-coaching'
        WHEN 'legal' THEN 'legal-consulting'
        WHEN 'ai' THEN 'ai-technology'
        ELSE 'other'
    END;
END;
$$ LANGUAGE plpgsql;
