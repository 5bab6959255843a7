"""What is said in two languages: every sentence has its Chinese, on the page, on the terminal and of every rule."""

import ast
import copy
import re
import string
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import escape

import headings
import lifecircle
from lifecircle import check_words, terminal
from lifecircle.dispatch import REASONS
from lifecircle.errors import Breach
from lifecircle.maps import check_page
from lifecircle.readers.study_file import language_of
from lifecircle.said import TABLE, Said, in_chinese, sentence
from lifecircle.study import check_study, examine
from tiny import STUDY, areas, at, geojson, table, write_city

SOURCE = Path(lifecircle.__file__).parent
CHINESE = re.compile("[\u4e00-\u9fff]")
ZH = STUDY.replace('language = "en"', 'language = "zh"')
MESSAGE_AT = {"breach": 2, "_breach": 2, "Breach": 2, "refuse": 1, "Fault": 1, "InfeasibleError": 0, "RequestError": 0}
"""Which argument of a call is what a finding says; one less where it is a method."""


@pytest.fixture(scope="module")
def sentences():
    return tomllib.loads((SOURCE / TABLE).read_text("utf-8"))


@pytest.fixture
def city(tmp_path):
    folder = tmp_path / "city"
    folder.mkdir()
    return write_city(folder, study=ZH)


def modules():
    """Yield the modules that read and check what is given to a study; siting refuses arguments, in English."""
    for path in SOURCE.rglob("*.py"):
        if not {"siting", "synthetic"} & {*path.relative_to(SOURCE).parts}:
            yield path, ast.parse(path.read_text("utf-8"))


def texts_in(node, assigned):
    """Yield the texts, or f-strings, that an expression may be: those of a variable too."""
    if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str)):
        yield node
    elif isinstance(node, ast.IfExp):
        yield from texts_in(node.body, assigned)
        yield from texts_in(node.orelse, assigned)
    elif isinstance(node, ast.Name):
        for value in assigned.get(node.id, ()):
            if not isinstance(value, ast.Name | ast.IfExp) or node.id not in {n.id for n in names_in(value)}:
                yield from texts_in(value, {k: v for k, v in assigned.items() if k != node.id})


def names_in(node):
    return [n for n in ast.walk(node) if isinstance(n, ast.Name)]


def assigned_in(nodes):
    """Return what each variable is set to."""
    assigned = {}
    for node in nodes:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                if isinstance(target, ast.Name):
                    assigned.setdefault(target.id, []).append(node.value)
    return assigned


def said_in(tree):
    """Yield every text that a module says of data: patterns, and messages that have nothing to fill in."""
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    for scope in (tree, *functions):
        assigned = assigned_in(tree.body) | (assigned_in(ast.walk(scope)) if scope is not tree else {})
        for node in ast.walk(scope):
            name = getattr(node.func, "id", getattr(node.func, "attr", "")) if isinstance(node, ast.Call) else ""
            place = 0 if name == "Said" else MESSAGE_AT.get(name)
            if place is not None and (scope is not tree or not any(node in ast.walk(f) for f in functions)):
                place -= name in ("breach", "_breach") and isinstance(node.func, ast.Attribute)
                yield from texts_in(node.args[place], assigned) if len(node.args) > place else ()


def has_words(pattern):
    return re.search("[a-z]+ [a-z]+", re.sub(r"\{[^}]*\}", "", pattern)) is not None


def fields_of(pattern):
    """Return what a pattern takes: of each value its place, its form and its conversion."""
    found = [f for f in string.Formatter().parse(pattern) if f[1] is not None]
    return {(int(name) if name else i, form, conversion) for i, (_, name, form, conversion) in enumerate(found)}


# ------------------------------------------------------------------------------------------------------------ the table


def test_whatever_is_said_of_data_is_said_in_chinese_too(sentences):
    said = [(path.name, node) for path, tree in modules() for node in said_in(tree)]
    assert [(name, ast.unparse(node)) for name, node in said if isinstance(node, ast.JoinedStr)] == []
    patterns = {node.value for _, node in said if has_words(node.value)}
    assert len(patterns) > 250
    assert patterns - set(sentences) == set()


def test_no_sentence_stands_in_the_table_that_nobody_says(sentences):
    texts = {
        node.value
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert set(sentences) - texts == set()


def test_a_sentence_in_chinese_takes_what_the_english_one_takes(sentences):
    for english, chinese in sentences.items():
        assert CHINESE.search(chinese) or not has_words(english), english
        if "{ " in english.replace("{{ ", ""):  # braces of TOML, in a text that has nothing to fill in
            continue
        assert fields_of(chinese) == fields_of(english), english


@given(st.text(), st.integers())
def test_what_data_holds_is_never_a_pattern(text, n):
    said = Said("{}: {} is infinite", text, Said("{} ({:,} rows)", text, n))
    assert said == f"{text}: {text} ({n:,} rows) is infinite"
    assert in_chinese(Said("{} is infinite", text)) == f"{text} 为无穷大"
    assert str(Said(text)) == str(sentence(text)) == text
    assert copy.deepcopy(said) == said
    assert in_chinese(copy.deepcopy(said)) == in_chinese(said)


@pytest.mark.parametrize("text", ["degrees", "a text", "all areas", "is empty", "area", "tables"])
def test_what_data_holds_is_never_translated_though_it_reads_like_a_sentence(text, sentences):
    assert text in sentences
    assert in_chinese(Said("{} is infinite", text)) == f"{text} 为无穷大"
    assert in_chinese(Said("{} is infinite", Said(text))) == f"{sentences[text]} 为无穷大"
    told_ = terminal._finding(Breach("areas", "missing-number", "nothing to report", (text,), 1), "zh")
    assert told_.endswith(f" [{text}]")


def values_in(tree):
    """Yield the texts of the program that a module fills into what it says, bare, so that they pass for data."""
    for scope in ast.walk(tree):
        if isinstance(scope, ast.FunctionDef):
            assigned = assigned_in(tree.body) | assigned_in(ast.walk(scope))
            for call in ast.walk(scope):
                if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "Said":
                    for value in call.args[1:]:
                        yield from texts_in(value, assigned)


def test_a_sentence_within_a_sentence_is_not_taken_for_data(sentences):
    bare = {
        (path.name, node.value)
        for path, tree in modules()
        for node in values_in(tree)
        if isinstance(node, ast.Constant) and node.value in sentences
    }
    assert bare == set()


# ------------------------------------------------------------------------------------------------- page and terminal


@pytest.fixture
def broken(city):
    table(city / "stations.csv", "站点编号 经度 纬度 可服务人数", ["s1", *at(1, 0), -5], ["s2", *at(3, 2), "many"])
    return city


def test_a_chinese_page_has_no_english_detail(broken):
    checked = examine(broken)
    assert len(checked.findings) >= 3
    page = check_page(checked, checked.findings, synthetic=False)
    for finding in checked.findings:
        assert CHINESE.search(in_chinese(finding.message)), finding.message
        assert f">{escape(in_chinese(finding.message))}<" in page
    assert "可服务人数 (capacity) 小于 0，如 &#39;-5&#39;；请填写正确的数值，不详的留空" in page


def test_check_speaks_the_language_of_the_study(run, broken, tmp_path):
    code, shown, complaint = run("check", broken, "--out", tmp_path / "out")
    assert code == 1
    assert "错误 服务站：可服务人数 (capacity) 不是数字，如 'many' [s2]" in complaint
    assert "错误 2" in shown
    assert "已写入" in shown
    assert "下一步" not in shown, "nothing comes next while there are errors"
    (broken / "study.toml").write_text(STUDY, encoding="utf-8")
    _, shown, complaint = run("check", broken, "--out", tmp_path / "out")
    assert "error stations: 可服务人数 (capacity) is not a number, e.g. 'many' [s2]" in complaint
    assert not CHINESE.search(shown)


def test_a_study_that_cannot_be_used_is_refused_in_its_language(run, broken, tmp_path):
    code, _, complaint = run("cover", broken, "--out", tmp_path / "out")
    assert code == 1
    assert "研究不能使用" in complaint
    assert "  - 服务站：可服务人数 (capacity) 不是数字，如 'many' [s2]" in complaint


def test_after_a_check_without_errors_the_next_command_is_told(run, city, tmp_path):
    code, shown, _ = run("check", city, "--out", tmp_path / "out")
    assert (code, shown.splitlines()[-1]) == (0, f"下一步：lifecircle cover {city}")
    page = (tmp_path / "out" / "check" / "check.html").read_text("utf-8")
    assert all(text in page for text in check_words.TEXTS["next"])


def test_tables_of_cover_and_site_speak_the_language_of_the_study(run, city, tmp_path):
    question = '[[scenario]]\nname = "one"\nquestion = "most"\ncircle = "8"\nn_new = 1\n'
    (city / "study.toml").write_text(ZH + question, encoding="utf-8")
    code, shown, _ = run("site", city, "--out", tmp_path / "out")
    assert code == 0
    assert "次序" in shown
    assert "圈内居民" in shown
    code, shown, complaint = run("cover", city, "--out", tmp_path / "out")
    assert code == 0
    assert all(word in shown for word in ("居民", "8 圈内", "全部", "已写入"))
    assert "计算步行" in complaint


def test_why_what_if_and_refusals_of_scenarios_speak_the_language_of_the_study(run, city, tmp_path):
    one, none = (f'[[scenario]]\nname = "{n}"\ncircle = "8"\n' for n in ("one", "none"))
    one, none = f'{one}question = "most"\nn_new = 1\n', f'{none}question = "fewest"\nn_new = 1\n'
    (city / "study.toml").write_text(ZH + one, encoding="utf-8")
    code, shown, _ = run("site", city, "--why", "c1", "--why", "s1", "--out", tmp_path / "out")
    assert code == 0
    assert all(text in shown for text in ("c1 ", "s1 是现有服务站", "值 ", " 人（现状 "))
    assert not re.search("chosen|stands|value|optimal|residents", shown)
    code, shown, complaint = run("what-if", city, "--add", "c1")
    assert code == 0
    assert all(text in shown for text in ("假如", "生活圈", "人群", "调整前", "调整后", "变化", "全部"))
    assert "调整站点" in complaint
    code, _, complaint = run("what-if", city, "--add", "s1")
    assert (code, complaint.splitlines()[-1]) == (2, "“s1”已经开放")
    (city / "study.toml").write_text(ZH + one.replace("n_new = 1", "budget = 1"), encoding="utf-8")
    code, _, complaint = run("site", city, "--out", tmp_path / "out")
    assert code == 1
    assert "请填写 cost 列" in complaint
    (city / "study.toml").write_text(ZH + none, encoding="utf-8")
    code, _, complaint = run("site", city, "--out", tmp_path / "out")
    assert code == 1
    assert "n_new 对问题" in complaint
    poor = 'question = "fewest"\ncircle = "8"\nshare = 1\nbudget = 1\ncost = { pharmacy = 2 }\n'
    both = "".join(f'[[scenario]]\nname = "{name}"\n{poor}' for name in ("甲", "乙"))
    (city / "study.toml").write_text(ZH + both, encoding="utf-8")
    code, _, complaint = run("site", city, "--out", tmp_path / "out")
    assert code == 1
    assert all(f"“{name}”：没有能满足全部要求的方案" in complaint for name in ("甲", "乙")), "both are told"
    assert complaint.count("资金不超过 1；其余不变时，需要 2") == 2


def test_why_requests_go_where_they_go_is_said_in_words_of_the_language(run, city, tmp_path):
    table(city / "stations.csv", "station_id lon lat name items", ["s1", *at(1.2, 0.3), "代办站", "medicine"])
    (city / "study.toml").write_text(ZH, encoding="utf-8")
    requests = tmp_path / "requests.csv"
    table(requests, "request_id lon lat item", ["r1", *at(1, 0), ""], ["r2", *at(1, 0), "legal"], ["r3", 12, 41, ""])
    code, shown, _ = run("assign", city, requests, "--out", tmp_path / "out")
    assert code == 0
    for reason in ("", "no-station-offers-item", "wrong-place"):
        assert in_chinese(REASONS[reason]) in shown.replace("\n", "")
    assert "no-station" not in shown


def test_every_reason_of_a_request_has_its_chinese():
    assert [code for code, reason in REASONS.items() if not CHINESE.search(in_chinese(reason))] == []


def test_the_command_that_comes_next_can_be_pasted_though_the_path_has_a_blank(run, tmp_path):
    folder = tmp_path / "my city"
    folder.mkdir()
    _, shown, _ = run("check", write_city(folder, study=ZH), "--out", tmp_path / "out")
    assert shown.splitlines()[-1] == f"下一步：lifecircle cover '{folder}'"


def test_a_remainder_names_the_area_that_lacks_residents(city):
    table(city / "residents.csv", "building_id residents", ["b1", 60], ["b2", 4])
    table(city / "totals.csv", "area_id residents", ["s", 10])
    sources = "".join(f'[[inputs.residents]]\npath = "{name}.csv"\n' for name in ("residents", "totals"))
    (city / "study.toml").write_text(ZH.replace('residents = "residents.csv"\n', "") + sources, encoding="utf-8")
    [message] = [b.message for b in check_study(city)[1] if b.rule == "negative-remainder"]
    assert "在本区域中的人数少" in in_chinese(message)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ('[study]\nlanguage = "en"\n', "en"),
        ("[study]\n", "zh"),
        ("[study]\nlanguage ＝ “en”\n", "en"),
        ("[study]\n# language = 'en'\nname = “抚顺”\n", "zh"),
    ],
)
def test_a_broken_study_file_is_told_of_in_the_language_that_it_states(tmp_path, text, language):
    (tmp_path / "study.toml").write_text(text, encoding="utf-8")
    assert language_of(tmp_path) == language_of(tmp_path / "study.toml") == language
    assert examine(tmp_path).language == language


def test_where_there_is_no_study_file_no_language_is_known(tmp_path):
    assert language_of(tmp_path) == "en"


# ------------------------------------------------------------------------------------------------------ whose headings


def told(folder):
    return {b.rule: str(b.message) for b in check_study(folder)[1]}


def test_messages_name_a_column_as_the_file_does(city):
    table(city / "stations.csv", "编号 lon lat 定员", ["s1", *at(1, 0), -5])
    mapped = ZH.replace('"stations.csv"', '{ path = "stations.csv", columns = { capacity = "定员" } }')
    (city / "study.toml").write_text(mapped, encoding="utf-8")
    assert told(city)["negative-number"].startswith("定员 (capacity) is below 0, e.g. '-5'")
    table(city / "stations.csv", "station_id lon lat Capacity", ["s1", *at(1, 0), -5])
    (city / "study.toml").write_text(ZH, encoding="utf-8")
    assert told(city)["negative-number"].startswith("capacity is below 0"), "no word of a heading that is ours"


def test_what_is_mended_names_the_column_as_the_file_does(city):
    table(city / "residents.csv", "楼栋编号 人口", ["b1", "６０"], ["b2", 4])
    assert told(city)["full-width-digits"].startswith("人口 (residents): ")


def test_what_must_be_filled_in_is_not_said_to_be_left_empty(city):
    table(city / "residents.csv", "building_id residents", ["b1", -60], ["b2", 4])
    assert told(city)["negative-number"] == "residents is below 0; write the right number", (
        "and shows no value of persons"
    )


def test_where_no_parent_is_known_the_layer_of_parents_is_asked_for(city):
    north_and_south = [({**properties, "parent_id": "街道"}, shape) for properties, shape in areas()[1:]]
    geojson(city / "areas.geojson", north_and_south)
    assert "is the layer of the larger areas missing?" in told(city)["unknown-id"]
    geojson(city / "areas.geojson", [*areas()[:2], north_and_south[1]])
    assert told(city)["unknown-id"] == "parent_id names nothing that the study holds"


# -------------------------------------------------------------------------------------------------------------- README


def test_the_table_of_headings_in_the_readme_is_that_of_the_source():
    text = headings.README.read_text("utf-8")
    assert headings.BLOCK.search(text)[0] == headings.headings_table(), "renew it: python tests/headings.py"
