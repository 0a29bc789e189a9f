-- Insert default domains matching CloneAI categories
INSERT INTO domains (domain_name) VALUES
    ('health-wellness'),
    ('business-strategy'),
    ('education-learning'),
    ('finance-investment'),
    ('life-coaching'),
    ('legal-consulting'),
    ('ai-technology'),
    ('other')
ON CONFLICT (domain_name) DO NOTHING;
