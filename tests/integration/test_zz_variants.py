import pytest
from tests.conftest import *
from tests.support.engine import Operator
from tests.integration.test_archive import only_archive
V=["partitioned_clones","force_rls","bigint_ids","quoted_names","creator_id_uuid","generated_columns","category_enum","columns_before"]
@pytest.mark.parametrize("v", V)
def test_variant(make_database, tmp_path, v):
    db = make_database(v)
    op = Operator(db, archives=tmp_path)
    try:
        op.engine.run()
    except Exception as e:
        pytest.fail("run: "+str(e)[:300])
    db.execute("update clones set rag_expert_name='Ada', rag_config='{\"a\":1}' where id in (select id from clones order by id limit 3)")
    db.execute("insert into experts (name, domain, context, clone_id) select 'x', 'other', '', id from clones order by id limit 1")
    db.execute("insert into rag_documents (name, document_link, domain) values ('a','b','other')")
    db.execute("update knowledge set rag_document_id=(select id from rag_documents), rag_error_message='oops' where id in (select id from knowledge order by id limit 2)")
    q = ["select id, rag_enabled, rag_expert_name, rag_config, rag_domain_mapping from clones order by id", "select * from experts", "select * from rag_documents", "select id, rag_document_id, rag_error_message, rag_processing_status, openai_file_id from knowledge order by id"]
    before = [db.query(x) for x in q]
    op.engine.rollback()
    op.engine.run()
    out = op.engine.restore(only_archive(tmp_path))
    print(out.sentence)
    assert before == [db.query(x) for x in q]
    assert op.engine.restore(only_archive(tmp_path)).changed is False
