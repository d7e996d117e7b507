import hashlib
import json

from django.db import transaction
from oauth2_provider.contrib.rest_framework import TokenHasScope
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tests.bench.naive.models import Account, IdempotencyKey, Transaction
from tests.bench.naive.serializers import TransactionSerializer
from tests.bench.naive.services import earn


class EarnView(APIView):
    permission_classes = [TokenHasScope]
    required_scopes = ["points:earn"]

    @transaction.atomic
    def post(self, request: Request) -> Response:
        partner = request.auth.application
        fingerprint = hashlib.sha256(json.dumps(request.data, sort_keys=True).encode()).hexdigest()
        key, is_new = IdempotencyKey.objects.get_or_create(
            partner=partner, key=request.headers["Idempotency-Key"], defaults={"fingerprint": fingerprint}
        )
        if not is_new:
            return self._replay(key, fingerprint)
        serializer = TransactionSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        known = Transaction.objects.filter(
            programme=partner.programme, reference=serializer.validated_data["reference"]
        ).first()
        if known:
            return Response(TransactionSerializer(known).data)
        try:
            booked = earn(partner.programme, serializer.validated_data)
        except Account.DoesNotExist:
            transaction.set_rollback(True)
            return Response({"detail": "Not found."}, status=status.HTTP_404_NOT_FOUND)
        body = TransactionSerializer(booked).data
        key.status, key.body = status.HTTP_201_CREATED, body
        key.save()
        return Response(body, status=status.HTTP_201_CREATED)

    def _replay(self, key: IdempotencyKey, fingerprint: str) -> Response:
        if key.fingerprint != fingerprint:
            return Response({"detail": "The key came with another request."}, status=status.HTTP_409_CONFLICT)
        return Response(key.body, status=key.status)
