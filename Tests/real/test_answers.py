"""Answers of real engines pass unchanged, and the gateway's own say what they must."""

import json

import openai
import pytest
from neaptest.processes import get, post, samples
from real_engine import MODEL
from traffic import CHAT, first_token_milliseconds, message, spread, until

SETTINGS = dict(model=MODEL, messages=message("Tell me about tides"), max_tokens=24, temperature=0)
REQUESTS = 20


def test_a_chat_is_the_engines_own(client, direct):
    want = direct.chat.completions.create(**SETTINGS)
    got = client.chat.completions.create(**SETTINGS)
    assert got.choices[0].message.content == want.choices[0].message.content != ""
    assert got.choices[0].finish_reason == want.choices[0].finish_reason
    tokens = lambda answer: (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens)  # noqa: E731
    assert tokens(got) == tokens(want)
    assert 0 < got.usage.completion_tokens <= 24


def test_a_stream_is_the_whole_answer_and_ends_with_usage(client, direct):
    want = direct.chat.completions.create(**SETTINGS)
    chunks = list(client.chat.completions.create(**SETTINGS, stream=True, stream_options={"include_usage": True}))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == want.choices[0].message.content
    assert sum(bool(chunk.choices and chunk.choices[0].delta.content) for chunk in chunks) >= 2, "it came in one piece"
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices and chunk.choices[0].finish_reason]
    assert chunks[-1].usage.completion_tokens == want.usage.completion_tokens
    assert chunks[-1].usage.prompt_tokens == want.usage.prompt_tokens


def test_a_stream_without_usage_has_none(client):
    chunks = list(client.chat.completions.create(**SETTINGS, stream=True))
    assert all(chunk.usage is None for chunk in chunks)


def test_completions(client, direct):
    settings = dict(model=MODEL, prompt="Low water", max_tokens=8, temperature=0)
    assert client.completions.create(**settings).choices[0].text == direct.completions.create(**settings).choices[0].text


def test_responses(client):
    answer = client.responses.create(model=MODEL, input="Say something.", max_output_tokens=8)
    assert answer.output_text


def test_messages_with_the_official_anthropic_client(gateway):
    import anthropic

    client = anthropic.Anthropic(base_url=gateway.url, api_key="none", max_retries=0, timeout=60)
    # llama.cpp sends no message_start before an answer without text, and one sampled answer in twelve has none.
    greedy = {"temperature": 0}
    with client.messages.stream(model=MODEL, max_tokens=8, messages=message("Hello"), extra_body=greedy) as stream:
        text = "".join(stream.text_stream)
    assert text == stream.get_final_message().content[0].text != ""


def test_a_refusal_of_the_engine_passes_unchanged(engine, gateway):
    body = {"model": MODEL, "messages": message("many words " * 6000), "max_tokens": 4}
    want, got = post(engine.port, CHAT, body), post(gateway.port, CHAT, body)
    assert got == want
    assert got[0] == 400


def test_the_engines_model_is_listed(client, direct):
    (want,), (got,) = direct.models.list().data, client.models.list().data
    assert (got.id, got.owned_by) == (want.id, want.owned_by)
    assert client.models.retrieve(MODEL).id == MODEL


def test_models_of_all_engines_are_one_list_and_lead_to_their_engine(engine, neighbour, own_world, connect):
    other = neighbour("other")
    gateway = own_world.gateway([engine.url, other.url])
    client = connect(gateway.url)
    assert [model.id for model in client.models.list()] == ["other", MODEL]
    for model, holder in [(MODEL, engine), ("other", other)]:
        for number in range(4):
            settings = dict(model=model, messages=message(f"Number {number}"), max_tokens=2)
            raw = client.chat.completions.with_raw_response.create(**settings)
            explained = json.loads(get(gateway.port, f"/admin/requests/{raw.headers['x-request-id']}")[2])
            assert holder.url in json.dumps(explained), explained


def test_an_unknown_model_is_404_and_lists_the_known(client):
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="nowhere", messages=message("x"))
    assert "nowhere" in caught.value.body["message"] and MODEL in caught.value.body["message"]


@pytest.mark.parametrize("path", ["/no/such/path", "/chat/completion"])
def test_an_unknown_path_is_404_and_is_named(client, path):
    with pytest.raises(openai.NotFoundError) as caught:
        client.post(path, body={"model": MODEL}, cast_to=object)
    assert f"/v1{path}" in caught.value.body["message"], caught.value.body


def test_answers_are_counted_as_the_engine_counted_them(client, gateway):
    def counted():
        totals = {"neap_prompt_tokens_total": 0.0, "neap_output_tokens_total": 0.0}
        for series, value in samples(gateway.port).items():
            if (name := series.partition("{")[0]) in totals:
                totals[name] += value
        return totals

    before = counted()
    usage = [client.chat.completions.create(**SETTINGS).usage]
    streamed = client.chat.completions.create(**SETTINGS, stream=True, stream_options={"include_usage": True})
    usage.append([chunk for chunk in streamed][-1].usage)
    want = {
        "neap_prompt_tokens_total": sum(one.prompt_tokens for one in usage),
        "neap_output_tokens_total": sum(one.completion_tokens for one in usage),
    }
    # A client may read the end of its answer a moment before the gateway has counted it.
    grown = lambda: {name: value - before[name] for name, value in counted().items()}  # noqa: E731
    assert until(lambda: grown() == want, 10), (grown(), want)


def test_first_tokens_come_in_time(client, direct, note):
    first_token_milliseconds(client, MODEL, 2, "Warm")
    own = first_token_milliseconds(direct, MODEL, REQUESTS, "Direct")
    through = first_token_milliseconds(client, MODEL, REQUESTS, "Through")
    assert len(through) == REQUESTS
    note(f"time to first token at the engine {spread(own)}; through the gateway {spread(through)}")
