from rest_framework import serializers

from tests.bench.naive.models import Line, Transaction


class LineSerializer(serializers.ModelSerializer[Line]):
    class Meta:
        model = Line
        fields = ["line", "sku", "category", "brand", "quantity", "amount"]


class TransactionSerializer(serializers.ModelSerializer[Transaction]):
    member = serializers.CharField(max_length=64, source="account.member.number")
    lines = LineSerializer(many=True)
    balance = serializers.SerializerMethodField()

    class Meta:
        model = Transaction
        fields = [
            "reference", "member", "occurred_at", "currency", "channel", "store", "lines", "points",
            "explanation", "balance",
        ]  # fmt: skip
        read_only_fields = ["points", "explanation"]

    def validate_lines(self, lines: list[dict[str, object]]) -> list[dict[str, object]]:
        if not lines or len({line["line"] for line in lines}) < len(lines):
            raise serializers.ValidationError("Each line comes once.")
        return lines

    def get_balance(self, transaction: Transaction) -> dict[str, int]:
        account = transaction.account
        return {"available": account.available, "pending": account.pending}
