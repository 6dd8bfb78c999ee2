"""Real-time requests with the official clients."""

import anthropic
import openai
import pytest

MODEL = "tiny"
HELLO = [{"role": "user", "content": "Say something about tides."}]


def test_models_are_the_engines_models(client):
    assert [model.id for model in client.models.list()] == [MODEL]


def test_one_model_by_name(client):
    assert client.models.retrieve(MODEL).id == MODEL


def test_chat(client):
    answer = client.chat.completions.create(model=MODEL, messages=HELLO, max_tokens=12)
    assert answer.model == MODEL
    assert answer.choices[0].message.content
    assert answer.choices[0].finish_reason in ("length", "stop")
    assert answer.usage.completion_tokens <= 12
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


def test_streamed_text_is_the_whole_text(client):
    settings = dict(model=MODEL, messages=HELLO, max_tokens=24, temperature=0, seed=1)
    whole = client.chat.completions.create(**settings)
    chunks = list(client.chat.completions.create(**settings, stream=True, stream_options={"include_usage": True}))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == whole.choices[0].message.content
    assert chunks[-1].choices == []
    assert chunks[-1].usage.completion_tokens == whole.usage.completion_tokens
    assert sum(1 for chunk in chunks if chunk.choices) >= 2


def test_a_stream_without_usage_has_none(client):
    chunks = list(client.chat.completions.create(model=MODEL, messages=HELLO, max_tokens=4, stream=True))
    assert all(chunk.choices for chunk in chunks)
    assert all(chunk.usage is None for chunk in chunks)


def test_completions(client):
    answer = client.completions.create(model=MODEL, prompt="Low water", max_tokens=6)
    assert answer.choices[0].text


def test_embeddings(client):
    answer = client.embeddings.create(model=MODEL, input=["spring", "neap"])
    assert [item.index for item in answer.data] == [0, 1]
    assert len(answer.data[0].embedding) == len(answer.data[1].embedding) > 0


def test_responses(client):
    answer = client.responses.create(model=MODEL, input="Say something.", max_output_tokens=8)
    assert answer.output_text


def test_messages(gateway):
    client = anthropic.Anthropic(base_url=gateway.url, api_key="none", max_retries=0, timeout=60)
    answer = client.messages.create(model=MODEL, max_tokens=8, messages=HELLO)
    assert answer.content[0].text
    assert answer.usage.output_tokens <= 8


def test_messages_streamed(gateway):
    client = anthropic.Anthropic(base_url=gateway.url, api_key="none", max_retries=0, timeout=60)
    with client.messages.stream(model=MODEL, max_tokens=8, messages=HELLO) as stream:
        text = "".join(stream.text_stream)
        assert text and stream.get_final_message().content[0].text == text


def test_an_unknown_model_is_404_and_lists_the_known(client):
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="nowhere", messages=HELLO)
    assert MODEL in str(caught.value)
    assert caught.value.body["code"] == "model_not_found"


def test_an_unknown_model_in_anthropic_shape(gateway):
    client = anthropic.Anthropic(base_url=gateway.url, api_key="none", max_retries=0)
    with pytest.raises(anthropic.NotFoundError) as caught:
        client.messages.create(model="nowhere", max_tokens=4, messages=HELLO)
    assert caught.value.body["type"] == "error"
    assert caught.value.body["error"]["type"] == "not_found_error"


def test_an_unknown_path_is_404_in_openai_shape(client):
    with pytest.raises(openai.NotFoundError) as caught:
        client.post("/no/such/path", body={"model": MODEL}, cast_to=object)
    assert set(caught.value.body) >= {"message", "type", "code"}


def test_a_body_without_model_is_400(client):
    with pytest.raises(openai.BadRequestError) as caught:
        client.post("/chat/completions", body={"messages": HELLO}, cast_to=object)
    assert "model" in caught.value.body["message"]


def test_chat_and_batch_calls_alternate_on_one_connection(client):
    for _ in range(3):
        assert client.chat.completions.create(model=MODEL, messages=HELLO, max_tokens=2).choices
        client.batches.list(limit=1)
        client.models.list()
