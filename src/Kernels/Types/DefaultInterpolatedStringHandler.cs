using System.Buffers;
using System.Globalization;

namespace System.Runtime.CompilerServices;

/// <summary>
/// What the compiler makes every <c>$"…"</c> of the assembly with. It takes the place of the runtime's type of that name, which formats numbers as the
/// current culture writes them: messages, reports and names are the same everywhere.
/// </summary>
[InterpolatedStringHandler]
internal ref struct DefaultInterpolatedStringHandler(int literalLength, int formattedCount)
{
    private char[] _text = ArrayPool<char>.Shared.Rent(literalLength + (formattedCount + 1) * 12);
    private int _length;

    public void AppendLiteral(string value) => AppendFormatted(value.AsSpan());

    public void AppendFormatted(string? value) => AppendFormatted(value.AsSpan());

    public void AppendFormatted(scoped ReadOnlySpan<char> value)
    {
        while (!value.TryCopyTo(_text.AsSpan(_length))) Grow();
        _length += value.Length;
    }

    public void AppendFormatted<T>(T value, string? format = null)
    {
        if (value is ISpanFormattable)
        {
            int written;
            while (!((ISpanFormattable)value).TryFormat(_text.AsSpan(_length), out written, format, CultureInfo.InvariantCulture)) Grow();
            _length += written;
        }
        else
        {
            AppendFormatted(value is IFormattable ? ((IFormattable)value).ToString(format, CultureInfo.InvariantCulture) : value?.ToString());
        }
    }

    public void AppendFormatted<T>(T value, int alignment, string? format = null)
    {
        int start = _length;
        AppendFormatted(value, format);
        string text = new(_text, start, _length - start);
        _length = start;
        AppendFormatted(alignment < 0 ? text.PadRight(-alignment) : text.PadLeft(alignment));
    }

    public string ToStringAndClear()
    {
        string text = new(_text, 0, _length);
        ArrayPool<char>.Shared.Return(_text);
        return text;
    }

    private void Grow()
    {
        char[] larger = ArrayPool<char>.Shared.Rent(_text.Length * 2);
        _text.AsSpan(0, _length).CopyTo(larger);
        ArrayPool<char>.Shared.Return(_text);
        _text = larger;
    }
}
