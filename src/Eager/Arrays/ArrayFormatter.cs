using System.Text;

namespace Fusion;

/// <summary>
/// Nested brackets, line breaks and summaries as NumPy lays them out (the function _formatArray of numpy/_core/arrayprint.py, default print
/// options). Reads only the elements that are printed.
/// </summary>
internal readonly struct ArrayFormatter
{
    private const int LineWidth = 75;
    private const int EdgeItems = 3;
    private const int Threshold = 1000;

    private readonly NDArray _array;
    private readonly ElementText _text;
    private readonly bool _summarize;

    private ArrayFormatter(NDArray array)
    {
        _array = array;
        _summarize = array.Size > Threshold;
        List<object> shown = [];
        Collect(0, 0, shown);
        _text = ElementText.For(array.DType, shown);
    }

    /// <summary>The values of an array that has some.</summary>
    public static string Format(NDArray array)
    {
        if (array.Size == 0) return "[]";
        return array.Rank == 0 ? ElementText.Scalar(array.ElementAt(0)) : new ArrayFormatter(array).Axis(0, 0, " ", LineWidth);
    }

    private void Collect(int axis, long position, List<object> shown)
    {
        if (axis == _array.Rank)
        {
            shown.Add(_array.ElementAt(position));
            return;
        }

        int size = _array.Shape.Dimensions[axis];
        for (int i = 0; i < size; i++)
        {
            if (IsGap(i, size)) i = size - EdgeItems;
            Collect(axis + 1, (position * size) + i, shown);
        }
    }

    // The first index that a summary leaves out.
    private bool IsGap(int i, int size) => _summarize && i == EdgeItems && size > 2 * EdgeItems;

    /// <summary>One bracket. <paramref name="indent"/> is what the lines after the first begin with.</summary>
    private string Axis(int axis, long position, string indent, int width)
    {
        string body = axis == _array.Rank - 1 ? Row(position, indent, width - 1) : Block(axis, position, indent, width - 1);
        return $"[{body[indent.Length..]}]";
    }

    private string Row(long position, string indent, int width)
    {
        int size = _array.Shape.Dimensions[^1];
        StringBuilder lines = new();
        string line = indent;
        for (int i = 0; i < size; i++)
        {
            bool gap = IsGap(i, size);
            if (gap) i = size - EdgeItems - 1;
            string word = gap ? "..." : _text.Format(_array.ElementAt((position * size) + i));
            if (line.Length + word.Length > width && line.Length > indent.Length)
            {
                lines.Append(line.TrimEnd(' ')).Append('\n');
                line = indent;
            }

            line += i == size - 1 ? word : word + " ";
        }

        return lines.Append(line).ToString();
    }

    private string Block(int axis, long position, string indent, int width)
    {
        int size = _array.Shape.Dimensions[axis];
        string separator = new('\n', _array.Rank - axis - 1);
        StringBuilder lines = new();
        for (int i = 0; i < size; i++)
        {
            bool gap = IsGap(i, size);
            if (gap) i = size - EdgeItems - 1;
            lines.Append(indent).Append(gap ? "..." : Axis(axis + 1, (position * size) + i, indent + " ", width));
            if (i < size - 1) lines.Append(separator);
        }

        return lines.ToString();
    }
}
