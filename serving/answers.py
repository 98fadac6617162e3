"""A decision as its caller reads it."""

from typing import Any

from decisioning.chance import WHOLE
from decisioning.counterfactual import Predict
from decisioning.domain import Decision, Message, Result, Terms
from decisioning.explain import for_customer
from decisioning.staff_trace import for_staff
from serving.schemas import DecisionOut, MessageOut, RejectedOut, ResultOut, TermsOut, WaitOut


def answer(
    decision: Decision, *, catalog: str, bundle: str | None, logged: bool, explanation: dict[str, Any] | None = None
) -> DecisionOut:
    """`catalog` and `bundle` are the versions the decision was made with."""
    return DecisionOut(
        decision_id=decision.request.decision_id,
        customer_id=decision.request.customer_id,
        touchpoint=decision.request.touchpoint,
        at=decision.at,
        catalog=catalog,
        bundle=bundle,
        group=decision.group,
        arms=dict(decision.arms),
        journey_stage=decision.journey_stage,
        logged=logged,
        reasons=list(decision.reasons),
        results=[_result(result, decision.request.touchpoint) for result in decision.results],
        rejected=[RejectedOut(action=one.action, tier=one.tier, rule=one.rule, unlock=one.unlock) for one in decision.rejected],
        explanation=explanation,
    )


def explained(decision: Decision, audience: str, predict: Predict | None = None) -> dict[str, Any] | None:
    """The explanation for `staff` or `customer`; None for `none`. `predict` asks the models of the decision once more."""
    if audience == "staff":
        return for_staff(decision)
    return for_customer(decision, predict) if audience == "customer" else None


def _result(result: Result, touchpoint: str) -> ResultOut:
    wait = result.wait
    return ResultOut(
        placement=result.placement,
        kind=result.kind,
        action=result.action,
        treatment=f"{result.action}@{touchpoint}" if result.action else None,
        message=_message(result.message),
        send_at=result.send_at if result.kind == "action" else None,
        expires_at=result.expires_at if result.kind == "action" else None,
        priority=result.terms.priority if result.terms else None,
        terms=_terms(result.terms),
        probability=None if result.units is None else result.units / WHOLE,
        reason=result.reason,
        timing=result.timing or None,
        wait=WaitOut(until=wait.until, because=wait.because, touchpoint=wait.touchpoint) if wait else None,
    )


def _message(message: Message | None) -> MessageOut | None:
    return None if message is None else MessageOut(title=message.title, body=message.body, cta=message.cta)


def _terms(terms: Terms | None) -> TermsOut | None:
    return None if terms is None else TermsOut(p=terms.p, c=terms.c, v=terms.v, l=terms.l, assumed=list(terms.assumed))
